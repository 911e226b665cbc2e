/*
 * Problem documents (RFC 9457), application/problem+json:
 * {"title", "status", "detail", "code", "request_id", …extension members}.
 * code is the stable, machine-readable name: "not-found", "insufficient-stock".
 */
#ifndef CONTRACT_PROBLEM_H
#define CONTRACT_PROBLEM_H

#include "base/base.h"
#include "base/json_writer.h"

#define PROBLEM_CONTENT_TYPE "application/problem+json"

/* The reason phrase of RFC 9110 section 15 (and 6585): "Not Found". "Error" for unknown ones. */
const char *problem_title(int status);

/* "not-found" for 404 and so on: the code if nothing more exact is known. */
const char *problem_code(int status);

/* Writes everything except the closing brace, so that extension members can follow. code NULL: the
 * code of the status; detail NULL: the title; request_id NULL: "". */
void problem_begin(struct json_writer *writer, int status, const char *code, const char *detail,
		   const char *request_id);
void problem_end(struct json_writer *writer);

#endif
