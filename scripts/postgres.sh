# shellcheck shell=sh
# How private PostgreSQL clusters are made; sourced by the scripts that do. They are reached by a Unix
# socket in their own folder only, and have nothing to do with the clusters of the system.

# postgres_find VERSION: sets postgres_programs, the folder of that server, or of the newest one where
# VERSION is empty; fails where there is none.
postgres_find() {
	postgres_programs=/usr/lib/postgresql/${1:-$(
		find /usr/lib/postgresql -maxdepth 1 -mindepth 1 -printf '%f\n' 2>/dev/null | sort -V | tail -n 1
	)}/bin
	[ -x "$postgres_programs/initdb" ]
}

# postgres_own FOLDER: makes it the server's, which refuses to run as root, and sets postgres_as, the
# words to put before its commands.
postgres_own() {
	postgres_as=
	[ "$(id -u)" = 0 ] || return 0
	postgres_user=nobody
	! id -u postgres >/dev/null 2>&1 || postgres_user=postgres
	chown "$postgres_user" "$1"
	postgres_as="setpriv --reuid=$postgres_user --regid=$(id -g "$postgres_user") --clear-groups"
}

# postgres_init FOLDER [OPTION]...: makes a cluster. Its collation is that of a natural language, for
# nothing may depend on it.
postgres_init() {
	postgres_folder=$1
	shift
	# shellcheck disable=SC2086 # words
	$postgres_as "$postgres_programs/initdb" -D "$postgres_folder" -U postgres -A trust -E UTF8 \
		--locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US "$@"
}
