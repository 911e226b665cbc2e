/*
 * libpq, loaded when the first postgresql:// URL is opened: with its own libraries (OpenSSL,
 * Kerberos, LDAP) it takes 5.5 MB of resident memory, which a worker on SQLite does not need. The
 * types come from libpq's own header, so calls through this table are checked like direct ones.
 */
#ifndef STORAGE_POSTGRES_LIBRARY_H
#define STORAGE_POSTGRES_LIBRARY_H

#include <libpq-fe.h>

#include "base/base.h"

#define LIBPQ_FUNCTIONS(X)                                                                         \
	X(PQbackendPID)                                                                            \
	X(PQclear)                                                                                 \
	X(PQcmdStatus)                                                                             \
	X(PQcmdTuples)                                                                             \
	X(PQconnectdbParams)                                                                       \
	X(PQconninfoFree)                                                                          \
	X(PQconninfoParse)                                                                         \
	X(PQconsumeInput)                                                                          \
	X(PQenterPipelineMode)                                                                     \
	X(PQerrorMessage)                                                                          \
	X(PQexitPipelineMode)                                                                      \
	X(PQfinish)                                                                                \
	X(PQflush)                                                                                 \
	X(PQfreemem)                                                                               \
	X(PQftype)                                                                                 \
	X(PQgetResult)                                                                             \
	X(PQgetisnull)                                                                             \
	X(PQgetlength)                                                                             \
	X(PQgetvalue)                                                                              \
	X(PQisBusy)                                                                                \
	X(PQntuples)                                                                               \
	X(PQparameterStatus)                                                                       \
	X(PQpipelineSync)                                                                          \
	X(PQresultErrorField)                                                                      \
	X(PQresultStatus)                                                                          \
	X(PQsendFlushRequest)                                                                      \
	X(PQsendPrepare)                                                                           \
	X(PQsendQuery)                                                                             \
	X(PQsendQueryParams)                                                                       \
	X(PQsendQueryPrepared)                                                                     \
	X(PQserverVersion)                                                                         \
	X(PQsetNoticeProcessor)                                                                    \
	X(PQsetnonblocking)                                                                        \
	X(PQsocket)                                                                                \
	X(PQstatus)

#define LIBPQ_MEMBER(function) __typeof__(function) *function;
struct libpq {
	LIBPQ_FUNCTIONS(LIBPQ_MEMBER)
};
#undef LIBPQ_MEMBER

/* Filled by libpq_load(). */
extern struct libpq libpq;

/* Loads the library, once a process. Thread-safe. reterr_message gets a message for the operator;
 * -EIO.
 */
int libpq_load(char *reterr_message, size_t error_size);

#endif
