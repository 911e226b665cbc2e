-- Run once by PostgreSQL's image, into an empty volume (docker-compose.yml).
CREATE ROLE product LOGIN;
CREATE ROLE cart LOGIN;
CREATE ROLE "order" LOGIN;
CREATE DATABASE product OWNER product;
CREATE DATABASE cart OWNER cart;
CREATE DATABASE "order" OWNER "order";
