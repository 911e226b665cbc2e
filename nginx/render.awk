# Prints an nginx configuration from a template. nginx/render.sh checks the environment first and runs
# this:
#
#	awk -f render.awk FOLDER/sidecar.conf.template
#
# @NAME@ stands for an environment variable. A line that begins with "@" and a lower-case letter is a
# directive: obey() has all of them.

BEGIN {
	folder = ARGV[1]
	sub(/[^\/]*$/, "", folder)
	put(ARGV[1])
	exit 0
}

function fail(message) {
	print "render.sh: " message > "/dev/stderr"
	exit 2
}

function exists(file, line, status) {
	status = (getline line < file)
	close(file)
	return status >= 0
}

function put(file, line, status) {
	while ((status = (getline line < file)) > 0)
		emit(line)
	if (status < 0)
		fail("cannot read " file)
	close(file)
}

function emit(line, words) {
	line = expand(line)
	if (line ~ /^@[a-z]/) {
		split(line, words, " ")
		obey(words[1], words[2])
	} else
		print line
}

function expand(line, done, name) {
	done = ""
	while (match(line, /@[A-Z][A-Z_]*@/)) {
		name = substr(line, RSTART + 1, RLENGTH - 2)
		if (!(name in ENVIRON))
			fail("no value for " name)
		done = done substr(line, 1, RSTART - 1) ENVIRON[name]
		line = substr(line, RSTART + RLENGTH)
	}
	return done line
}

function obey(directive, argument, own) {
	if (directive == "@include")
		put(folder argument)
	else if (directive == "@include_own") { # only some services have one
		own = folder ENVIRON["SERVICE"] "." argument ".conf.template"
		if (exists(own))
			put(own)
	} else if (directive == "@client_zones")
		client_zones()
	else if (directive == "@client_limits")
		client_limits()
	else if (directive == "@connection_limits")
		connection_limits()
	else if (directive == "@listing_limits")
		listing_limits()
	else if (directive == "@ask_first")
		ask_first(argument)
	else if (directive == "@path_rules")
		root_rules("rest", "$rest", "/")
	else if (directive == "@prefix_rules")
		root_rules("mounted", ENVIRON["ROOT_PATH"], ENVIRON["ROOT_PATH"])
	else if (directive == "@locations")
		locations(argument)
	else if (directive == "@body_rules")
		body_rules(argument)
	else if (directive == "@provider") {
		if (ENVIRON["FETCHES"] != "")
			put(folder "provider.conf.template")
	} else if (directive == "@pools")
		pools(argument, toupper(argument))
	else if (directive == "@passing")
		passing(argument, toupper(argument))
	else if (directive == "@detour")
		detour(argument, toupper(argument))
	else
		fail("no directive " directive)
}

# ---- limits; 0 means no limit ----

# Zones that count requests and connections.
function client_zones() {
	rate_zone("$client", "clients", ENVIRON["RATE_LIMIT_RPS"])
	rate_zone("$storing", "storing", ENVIRON["STORING_LIMIT_RPS"])
	print "\tlimit_conn_zone $client zone=connections_of:4m;"
	print "\tlimit_conn_zone $hostname zone=connections:64k;"
	print "\tlimit_conn_zone $bodied zone=bodies:64k;"
}

function rate_zone(key, zone, rate) {
	if (rate > 0)
		printf "\tlimit_req_zone %s zone=%s:4m rate=%dr/s;\n", key, zone, rate
}

function client_limits() {
	rate_limit("clients", ENVIRON["RATE_LIMIT_RPS"], 1)
	rate_limit("storing", ENVIRON["STORING_LIMIT_RPS"], 50)
	connection_limits()
}

# The burst is that of some seconds.
function rate_limit(zone, rate, seconds) {
	if (rate > 0)
		printf "\t\tlimit_req zone=%s burst=%d nodelay;\n", zone, seconds * rate
}

# A location with a limit of its own inherits none.
function connection_limits() {
	limit("connections_of", ENVIRON["CLIENT_CONNECTIONS"], 1)
	limit("connections", ENVIRON["CONNECTIONS"], 1)
	limit("bodies", ENVIRON["CONNECTIONS"], 2)
}

# For long answers, which are buffered in files for clients that read slowly.
function listing_limits() {
	connection_limits()
	limit("listings_of", ENVIRON["CLIENT_CONNECTIONS"], 4)
	limit("listings", ENVIRON["CONNECTIONS"], 8)
}

# For operations with few places: what follows is for requests whose sender may have one, as the worker says. No
# limit of connections counts them before, since nginx counts a request once.
function ask_first(operation) {
	print "\t\t\tset $asked_path $worker_path;"
	print "\t\t\tlimit_conn none 1;"
	print "\t\t\tauth_request /.admission;"
	print "\t\t\trecursive_error_pages on;"
	printf "\t\t\ttry_files /.none @%s;\n\t\t}\n\t\tlocation @%s {\n", operation, operation
}

# Limits to a number divided by part, rounded up.
function limit(zone, number, part) {
	if (number > 0)
		printf "\t\tlimit_conn %s %d;\n", zone, int((number + part - 1) / part)
}

# ---- paths ----

# Rules that remove ROOT_PATH: from the documentation pages, from the service's own paths after it (as
# ASGI applications are mounted), and from the bare prefix unless that is the collection's own path.
function root_rules(name, value, bare, collection, pattern) {
	if (ENVIRON["ROOT_PATH"] == "")
		return
	collection = ENVIRON["SERVICE"] "s"
	pattern = quoted(ENVIRON["ROOT_PATH"])
	printf "\t\t\"~(?s)^%s(?<%s>/(?:(?:docs(?:/[^/]+)?|redoc|openapi\\.json)/?|%s(?:/.*)?))\\z\" %s;\n", \
		pattern, name, collection, value
	if (ENVIRON["ROOT_PATH"] != "/" collection)
		printf "\t\t\"~^%s/?\\z\" %s;\n", pattern, bare
}

function quoted(path) {
	gsub(/\./, "\\.", path)
	return path
}

# Reads the output of the service's --routes: callers, method, longest body in bytes, path, operationId.
# Sorts literal paths before those with parameters, which would match them too, and "/" last, because its
# pattern is also the bare prefix. Sets path[], and for these callers methods[], bearers[] (methods with a
# body), longest[] and more[] (further lines). A path that they may not use has no methods.
function read_routes(callers, line, field, number, i, key, keys, lines) {
	number = paths = 0
	while ((getline line < ENVIRON["ROUTES"]) > 0) {
		split(line, field, " ")
		key = field[4]
		gsub(/\{[^}]*\}/, "~", key)
		if (key == "/")
			key = "~"
		for (i = number++; i > 0 && keys[i] "" > key ""; i--) {
			keys[i + 1] = keys[i]
			lines[i + 1] = lines[i]
		}
		keys[i + 1] = key
		lines[i + 1] = line
	}
	close(ENVIRON["ROUTES"])
	for (i = 1; i <= number; i++) {
		split(lines[i], field, " ")
		if (i == 1 || keys[i] != keys[i - 1]) {
			path[++paths] = pattern_of(field[4])
			methods[paths] = bearers[paths] = more[paths] = ""
			longest[paths] = 0
		}
		if (("," field[1] ",") ~ (",(" callers "),"))
			add_method(field[2], field[3] + 0, field[5])
	}
}

function pattern_of(template) {
	template = quoted(template)
	gsub(/\{[^}]*\}/, "[^/]+", template)
	sub(/\/$/, "", template)
	return "\"^" (ENVIRON["ROOT_PATH"] == "" ? "" : "(?:" quoted(ENVIRON["ROOT_PATH"]) ")?") template "/?\\z\""
}

# Adds to the last path.
function add_method(method, bytes, operation, own) {
	methods[paths] = methods[paths] (methods[paths] ? "|" : "") (method == "GET" ? "GET|HEAD" : method)
	if (bytes)
		bearers[paths] = bearers[paths] (bearers[paths] ? "|" : "") method
	if (bytes > longest[paths])
		longest[paths] = bytes
	own = operation ".conf.template"
	if (exists(folder own))
		more[paths] = more[paths] "@include " own "\n"
	if (operation ~ /^list|^getDocsFile$/)
		more[paths] = more[paths] "@listing_limits\n"
}

# A location for each path: which methods these callers may use, which of them with a body, and how long it
# may be. Bodies up to 128 KiB stay in memory. Paths and methods that are not for these callers get 404; only
# the public port answers 405, with the methods of the path.
function locations(callers, i, j, allowed, lines, number) {
	read_routes(callers)
	for (i = 1; i <= paths; i++) {
		printf "\t\tlocation ~ %s {\n", path[i]
		if (!methods[i]) {
			print "\t\t\ttry_files /.none =404;\n\t\t}"
			continue
		}
		if (longest[i])
			printf "\t\t\tclient_max_body_size %d;\n", longest[i]
		if (longest[i] && longest[i] <= 131072)
			printf "\t\t\tclient_body_buffer_size %d;\n", longest[i]
		allowed = methods[i]
		gsub(/\|/, ", ", allowed)
		printf "\t\t\tset $allowed \"%s\";\n", allowed
		refuse("$request_method", "!~", methods[i], callers == "public" ? 405 : 404)
		refuse("$bearer", "!~", bearers[i] ? "|" bearers[i] : "", 413)
		if (longest[i])
			refuse("$encoded", "~", bearers[i], 415)
		ENVIRON["LONGEST"] = longest[i]
		number = split(more[i], lines, "\n")
		for (j = 1; j < number; j++)
			emit(lines[j])
		print "\t\t\tfastcgi_pass worker;\n\t\t}"
	}
}

function refuse(variable, operator, words, status) {
	printf "\t\t\tif (%s %s \"^(?:%s)\\z\") {\n", variable, operator, words
	printf "\t\t\t\trewrite ^ /.answer/%d last;\n\t\t\t}\n", status
}

# Lines of a map from a path to its longest body.
function body_rules(callers, i) {
	read_routes(callers)
	for (i = 1; i <= paths; i++)
		if (longest[i])
			printf "\t\t\"~%s %d;\n", substr(path[i], 2), longest[i]
}

# ---- upstreams ----

# An upstream. With several servers, nginx asks the less busy of two, and leaves a server that failed alone
# for a second. A single server is always asked. Idle connections are closed before the sidecar closes them
# (75 s), so that no request is lost to that race.
function pool(name, servers, list, number, i) {
	number = split(servers, list, " ")
	printf "\tupstream %s {\n", name
	if (number > 1)
		printf "\t\tzone %s 64k;\n\t\trandom two least_conn;\n", name
	for (i = 1; i <= number; i++)
		printf "\t\tserver %s%s;\n", list[i], (number > 1 ? " max_fails=1 fail_timeout=1s" : "")
	print "\t\tkeepalive 64;\n\t\tkeepalive_requests 50000;\n\t\tkeepalive_timeout 60s;\n\t}"
}

# A service's upstreams: one of all replicas, and one without each of them.
function pools(service, prefix, address, ports, number, i) {
	address = ENVIRON[prefix "_ADDRESS"]
	if (address ~ /^unix:/) {
		pool(service, address)
		return
	}
	number = split(ENVIRON[prefix "_PORTS"], ports, ",")
	pool(service, all_but(address, ports, number, 0))
	for (i = 1; i <= number && number > 1; i++)
		pool(service "_without_" ports[i], all_but(address, ports, number, i))
}

function all_but(address, ports, number, one, i, list) {
	list = ""
	for (i = 1; i <= number; i++)
		if (i != one)
			list = list " " address ":" ports[i]
	return list
}

# Passes a service's requests on. While any replica is marked as away, they take the detour below.
function passing(service, prefix) {
	if (ENVIRON[prefix "_PORTS"] ~ /,/)
		printf "\t\t\tif (-d \"%s/away\") {\n\t\t\t\trewrite ^ /.present/%s last;\n\t\t\t}\n", \
			ENVIRON["RUNTIME_DIR"], service
	printf "\t\t\tproxy_pass http://%s;\n", service
}

# Chooses the upstream without the marked replica.
function detour(service, prefix, ports, number, i) {
	printf "\t\t\tset $pool %s;\n", service
	number = split(ENVIRON[prefix "_PORTS"], ports, ",")
	for (i = 1; i <= number && number > 1; i++)
		printf "\t\t\tif (-f \"%s/away/%s\") {\n\t\t\t\tset $pool %s_without_%s;\n\t\t\t}\n", \
			ENVIRON["RUNTIME_DIR"], ports[i], service, ports[i]
	print "\t\t\tproxy_pass http://$pool$request_uri;"
}
