/*
 * Settings from the environment. Read all of them in main, before threads start (getenv is not
 * thread-safe). A bad value is reported at once on stderr, naming variable, value and what is
 * allowed, and remembered: config_failed() then tells main to stop.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/base.h"

/* The variable's value, or fallback where it is unset or empty. Never copied. */
const char *config_text(const char *name, const char *fallback);

/* A whole number in [lowest, highest], or fallback. After a bad value: fallback. */
int64_t config_int(const char *name, int64_t fallback, int64_t lowest, int64_t highest);

/* One of "0", "1", "false", "true". */
bool config_bool(const char *name, bool fallback);

/* An http:// base URL without a trailing slash, query or fragment. */
const char *config_url(const char *name, const char *fallback);

/* Reports a bad setting that the caller found (an unknown currency, say). The value is shown; pass
 * NULL for a secret. */
void config_reject(const char *name, const char *value, const char *expected);

bool config_failed(void);

#endif
