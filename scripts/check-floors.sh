#!/usr/bin/env bash
# Checks the includes: a file includes only from its own folder or a lower floor. Each third-party header
# has one home, and no header there passes it on to other folders.
set -euo pipefail
cd "$(dirname "$0")/.."

# What each folder may include besides itself.
declare -A below=(
	[base]=''
	[contract]='base'
	[auth]='base contract'
	[storage]='base'
	[upstream]='base'
	[responder]='base contract auth storage upstream'
	[product]='base contract auth storage upstream responder'
	[cart]='base contract auth storage upstream responder'
	[order]='base contract auth storage upstream responder'
)
# Within a folder, lowest first: a file includes only headers of its own line or an earlier one.
declare -A places=(
	[storage]='conn.h options.h work.h driver.h conn.c count.* statements.* sqlite*.* postgres*.*
		pool.* migrate.* writer.* batch.* opener.* db.* copy.*'
	[responder]='request.h response.* entity_tag.* request.c check.* lookup.* service.h version.*
		refusal.* ownership.* fingerprint.* paging.* kept_answer.* idempotency.* old_user_ids.* request_head.*
		key_source.* issuer.* siblings.* sign_in.* guard.* docs.* gate.* connections.* thread_pool.* metrics.* exchange.* dispatch.* loop.* tasks.*
		housekeeping.* listener.* command.* server.h exposition.* meta.c server.c main.c'
)
# Third-party and generated headers, and the files that may include them (patterns of find -path).
declare -A home=(
	[json-c/]='fcgi-apps/base/json*.c fcgi-apps/base/json_tree.h'
	[uninorm.h]='fcgi-apps/base/unicode.c'
	[unistr.h]='fcgi-apps/base/unicode.c'
	[uniwbrk.h]='fcgi-apps/base/unicode.c'
	[unicase.h]='fcgi-apps/base/unicode.c'
	[unictype.h]='fcgi-apps/base/unicode.c'
	[sqlite3.h]='fcgi-apps/storage/sqlite*.[ch]'
	[libpq-fe.h]='fcgi-apps/storage/postgres*.[ch]'
	[http_parser.h]='fcgi-apps/upstream/*'
	[openssl/]='fcgi-apps/auth/*.c fcgi-apps/auth/crypto_library.h'
	[docs-ui/]='fcgi-apps/responder/docs.c'
	[fcgiapp.h]='fcgi-apps/responder/*'
	[fcgi_config.h]='fcgi-apps/responder/*'
)

faults=0
fault() {
	printf '%s\n' "$*" >&2
	faults=1
}

includes() { # prints file:line:header of every #include with the delimiter $1
	grep -rnHoE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*$1[^\">]+" fcgi-apps |
		sed -E "s/^([^:]+:[0-9]+):.*$1/\1:/"
}

place() { # sets $at to the place of the file $2 in the folder $1
	local patterns
	read -rd '' -a patterns <<<"${places[$1]}" || true
	for at in "${!patterns[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $2 == ${patterns[at]} ]] && return
	done
	fault "fcgi-apps/$1/$2 has no place in its folder (scripts/check-floors.sh)"
}

declare -A carrier=()
while IFS=: read -r file line header; do
	for start in "${!home[@]}"; do
		[[ $header != "$start"* ]] || carrier[${file#fcgi-apps/}]=$header
	done
done < <(includes '<')

while IFS=: read -r file line header; do
	folder=${file#fcgi-apps/} folder=${folder%%/*} target=${header%%/*}
	if [[ ! -v below[$folder] ]]; then
		fault "$file: the folder $folder is on no floor (scripts/check-floors.sh)"
	elif [[ $target != "$folder" && " ${below[$folder]} " != *" $target "* ]]; then
		fault "$file:$line: $folder must not include $header"
	elif [[ $target != "$folder" && -v carrier[$header] ]]; then
		fault "$file:$line: $header brings ${carrier[$header]} along"
	elif [[ $target == "$folder" && -v places[$folder] ]]; then
		place "$folder" "${header##*/}" && limit=$at
		place "$folder" "${file##*/}"
		((limit <= at)) || fault "$file:$line: ${file##*/} stands below $header"
	fi
done < <(includes '"')

while IFS=: read -r file line header; do
	for start in "${!home[@]}"; do
		[[ $header == "$start"* ]] || continue
		at_home=no
		read -ra patterns <<<"${home[$start]}"
		for pattern in "${patterns[@]}"; do
			# shellcheck disable=SC2053 # a pattern
			[[ $file == $pattern ]] && at_home=yes
		done
		[[ $at_home == yes ]] || fault "$file:$line: $header is included in ${home[$start]} only"
	done
done < <(includes '<')

exit $faults
