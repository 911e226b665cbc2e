#!/bin/sh
# Run once by PostgreSQL's image, into an empty volume: a role and a database for each service.
set -eu

for name in product cart order; do
	password=$(cat "/run/passwords/$name")
	psql -v ON_ERROR_STOP=1 -v name="$name" -v password="$password" -U postgres -d postgres <<-'END'
		CREATE ROLE :"name" LOGIN PASSWORD :'password';
		CREATE DATABASE :"name" OWNER :"name";
		REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
	END
done
