/* A loaded contract from the inside. Private to this folder. */
#ifndef CONTRACT_CONTRACT_PARTS_H
#define CONTRACT_CONTRACT_PARTS_H

#include "contract/contract.h"
#include "contract/names.h"
#include "contract/schema.h"

#define MEDIA_MAX           4  /* media types of one body */
#define MEDIA_TYPE_SIZE     96 /* RFC 6838 allows 127 + 127, nobody comes near */
#define PARAMETER_NAME_SIZE 64
#define WHERE_SIZE          512

enum parameter_kind {
	PARAMETER_STRING,
	PARAMETER_INTEGER,
	PARAMETER_NUMBER,
	PARAMETER_BOOLEAN,
	PARAMETER_LIST, /* of strings, separated by commas */
};

struct parameter {
	const char *name;
	char pointer[PARAMETER_NAME_SIZE + 1]; /* "/" and the name */
	const struct schema *schema;
	enum parameter_kind kind;
	bool required;
};

struct media {
	char type[MEDIA_TYPE_SIZE];  /* without parameters */
	const struct schema *schema; /* NULL: not JSON */
};

/* What a body may be; count 0: there is none. */
struct content {
	struct media list[MEDIA_MAX];
	size_t count;
};

struct answer {
	int status;
	struct content content;
};

/* An operation with all that is checked; struct operation is what others see of it. */
struct endpoint {
	struct operation operation;
	struct parameter path[CONTRACT_PATH_PARAMETERS_MAX]; /* in the order of the template */
	size_t path_count;
	struct parameter query[CONTRACT_ARGUMENTS_MAX];
	size_t query_count;
	struct parameter headers[CONTRACT_ARGUMENTS_MAX]; /* queries and headers share the limit */
	size_t header_count;
	struct content body;
	struct answer *answers;
	size_t answer_count;
};

struct route_node;

struct contract {
	struct json *document; /* everything else points into it */
	struct schema_set *schemas;
	struct names schema_names; /* indices in named_schemas */
	const struct schema **named_schemas;
	struct names operation_names; /* indices in endpoints */
	struct endpoint *endpoints;
	size_t endpoint_count;
	struct route_node *routes;
	struct text served[2]; /* the document without and with internal operations */
};

/* What loading carries along. */
struct loader {
	struct contract *contract;
	const struct json *root;
	struct text *error;
};

/* Sets the error to "where: reason" and returns -EINVAL. */
int loader_refuse(struct text *error, const char *where, const char *format, ...) PRINTF_LIKE(3, 4);

/* Follows $refs (which may only stand beside summary and description). NULL: refused. */
const struct json *loader_resolve(struct loader *loader, const struct json *value,
				  const char *where);

/* Refuses a value that is no object or has a member that is neither in the NULL-terminated list
 * nor x-*. */
int loader_members(struct loader *loader, const struct json *object, const char *const *allowed,
		   const char *where);

/* Writes "where/name" into the buffer, cut to its size: the place of a part, for messages. */
void loader_place(char buffer[WHERE_SIZE], const char *where, const char *name);

/* A member that is true, false or missing (false). */
int loader_flag(struct loader *loader, const struct json *object, const char *name,
		const char *where, bool *ret_flag);

/* ---- document.c ---- */

/* Parses both, merges the shared paths and components in, fits them to currency and version. */
int document_make(const char *text, size_t length, const char *shared_text, size_t shared_length,
		  struct currency currency, const char *version, struct json **ret_document,
		  struct text *ret_error);

/* ---- document_serve.c ---- */

/* Appends the document as served. -ENOMEM, -EMSGSIZE. */
int document_serve(const struct json *document, bool internal, struct text *out);

/* ---- operation.c, parameter_load.c, content.c: one operation's parts ---- */

extern const char *const operation_methods[5]; /* upper case */
extern const char *const operation_members[5]; /* as the document has them */

/* Reads one operation of a path item into the zeroed endpoint. */
int operation_load(struct loader *loader, const struct json *path_item,
		   const struct json *definition, const char *where, struct endpoint *endpoint);

/* Reads the parameters of a path item and of one of its operations. */
int parameters_load(struct loader *loader, const struct json *path_item,
		    const struct json *definition, const char *where, struct endpoint *endpoint);

/* Reads one parameter object just to see whether it may stand there. */
int parameter_verify(struct loader *loader, const struct json *definition, const char *where);

int content_load(struct loader *loader, const struct json *content, const char *where,
		 struct content *ret_content);
int response_load(struct loader *loader, const struct json *definition, const char *where,
		  struct content *ret_content);
int header_verify(struct loader *loader, const struct json *definition, const char *where);
int request_body_load(struct loader *loader, const struct json *definition, const char *where,
		      struct content *ret_content, struct operation *ret_operation);

/* The media type that fits a Content-Type, or NULL. content_type NULL is "". */
const struct media *content_find(const struct content *content, const char *content_type);

/* ---- route.c ---- */

/* Makes the tree of the contract's endpoints. -EINVAL: two templates match the same paths. */
int routes_build(struct contract *contract, struct text *ret_error);
void routes_free(struct route_node *node);

#endif
