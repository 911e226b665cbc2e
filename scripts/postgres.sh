# shellcheck shell=sh
# How private PostgreSQL clusters are made; sourced by the scripts that make them. They are reachable only
# by a Unix socket in their own folder, and are separate from the system's clusters.

# postgres_find VERSION: sets postgres_programs to the folder of that server's programs, or of the newest
# one if VERSION is empty. Fails if there is none.
postgres_find() {
	postgres_programs=/usr/lib/postgresql/${1:-$(
		find /usr/lib/postgresql -maxdepth 1 -mindepth 1 -printf '%f\n' 2>/dev/null | sort -V | tail -n 1
	)}/bin
	[ -x "$postgres_programs/initdb" ]
}

# postgres_own FOLDER: gives it to the server's user, as the server refuses to run as root, and sets
# postgres_as, the words to put before its commands.
postgres_own() {
	postgres_as=
	[ "$(id -u)" = 0 ] || return 0
	postgres_user=nobody
	! id -u postgres >/dev/null 2>&1 || postgres_user=postgres
	chown "$postgres_user" "$1"
	postgres_as="setpriv --reuid=$postgres_user --regid=$(id -g "$postgres_user") --clear-groups"
}

# postgres_init FOLDER [OPTION]...: makes a cluster. Its collation is that of a natural language, because
# nothing may depend on the collation.
postgres_init() {
	postgres_folder=$1
	shift
	# shellcheck disable=SC2086 # words
	$postgres_as "$postgres_programs/initdb" -D "$postgres_folder" -U postgres -A trust -E UTF8 \
		--locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US "$@"
}
