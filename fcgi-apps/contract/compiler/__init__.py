"""Turns an OpenAPI document into C tables: see ../compile.py."""
