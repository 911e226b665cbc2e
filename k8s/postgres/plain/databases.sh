#!/bin/sh
# Run once by PostgreSQL's image, for an empty volume: makes a role and a database for each service. No
# role can connect to another's database.
set -eu

psql -v ON_ERROR_STOP=1 -U postgres -d postgres -c 'REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC'
for name in product cart order; do
	password=$(cat "/run/passwords/$name")
	psql -v ON_ERROR_STOP=1 -v name="$name" -v password="$password" -U postgres -d postgres <<-'END'
		CREATE ROLE :"name" LOGIN PASSWORD :'password';
		CREATE DATABASE :"name" OWNER :"name";
		REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
	END
done
