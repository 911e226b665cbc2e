-- Run once by PostgreSQL's image, into an empty volume (docker-compose.postgres.yml): a role and a database
-- for each service, which no other can connect to.
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;

\getenv password PRODUCT_PASSWORD
CREATE ROLE product LOGIN PASSWORD :'password';
CREATE DATABASE product OWNER product;
REVOKE CONNECT ON DATABASE product FROM PUBLIC;

\getenv password CART_PASSWORD
CREATE ROLE cart LOGIN PASSWORD :'password';
CREATE DATABASE cart OWNER cart;
REVOKE CONNECT ON DATABASE cart FROM PUBLIC;

\getenv password ORDER_PASSWORD
CREATE ROLE "order" LOGIN PASSWORD :'password';
CREATE DATABASE "order" OWNER "order";
REVOKE CONNECT ON DATABASE "order" FROM PUBLIC;
