/*
 * The regular expressions that mean the same in ECMA-262 (what JSON Schema wants, with the u flag)
 * and in POSIX extended syntax (what libc runs): literal ASCII, \ before a syntax character,
 * [classes] without backslashes, [^classes], groups, |, ^, $ and the quantifiers * + ? {n} {n,}
 * {n,m}. Refused: '.', \d and its like, lookaround, back references, lazy quantifiers, bytes
 * beyond ASCII (a class excludes by character, so [^ ] takes "é" as one).
 */
#ifndef CONTRACT_SCHEMA_PATTERN_H
#define CONTRACT_SCHEMA_PATTERN_H

#include "base/base.h"

struct pattern;

/* -EINVAL with the reason in reason, -ENOMEM. */
int pattern_compile(const char *source, struct pattern **ret_pattern, char *reason, size_t size);
void pattern_free(struct pattern *pattern);

/* 1 or 0: whether the expression matches anywhere in the text; -ENOMEM. Thread-safe. */
int pattern_matches(const struct pattern *pattern, const char *text, size_t length);

#endif
