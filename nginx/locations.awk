# Prints the locations of one listener, for nginx/render.sh: from lines of what to sort by, method ("-": not
# for its callers), longest body in bytes, path and operationId; the lines of a path are next to each other.
#
#	public   1: the public port, which names the methods that a path has
#	own      the names of the templates: one of an operation is included into its location

function refuse(variable, words, status) {
	printf "\t\t\tif (%s !~ \"^(?:%s)\\z\") {\n", variable, words
	printf "\t\t\t\trewrite ^ /.answer/%d last;\n\t\t\t}\n", status
}
function end() {
	if (!key)
		return
	gsub(/\./, "\\.", path)
	gsub(/\{[^}]*\}/, "[^/]+", path)
	sub(/\/$/, "", path)
	printf "\t\tlocation ~ \"^@ROOT_PATTERN@%s/?\\z\" {\n", path
	if (!methods) {
		print "\t\t\ttry_files /.none =404;\n\t\t}"
		return
	}
	if (bytes)
		printf "\t\t\tclient_max_body_size %d;\n", bytes
	if (bytes && bytes <= 131072)
		printf "\t\t\tclient_body_buffer_size %d;\n", bytes
	allowed = methods
	gsub(/\|/, ", ", allowed)
	printf "\t\t\tset $allowed \"%s\";\n", allowed
	refuse("$request_method", methods (public ? "|OPTIONS" : ""), public ? 405 : 404)
	refuse("$bearer", bearers, 413)
	if (bytes)
		printf "\t\t\tif ($encoded ~ \"^(?:%s)\\z\") {\n" \
			"\t\t\t\trewrite ^ /.answer/415 last;\n\t\t\t}\n", substr(bearers, 2)
	printf "%s\t\t\tfastcgi_pass worker;\n\t\t}\n", more
}

$1 != key {
	end()
	key = $1
	path = $4
	methods = bearers = more = ""
	bytes = 0
}
$2 != "-" {
	methods = methods (methods ? "|" : "") ($2 == "GET" ? "GET|HEAD" : $2)
	if ($3)
		bearers = bearers "|" $2
	if ($3 > bytes)
		bytes = $3
	if (index(" " own " ", " " $5 ".conf.template "))
		more = more "@include " $5 ".conf.template\n"
	if ($5 ~ /^list|^getDocsFile$/)
		more = more "@LISTING_LIMITS@\n"
}
END { end() }
