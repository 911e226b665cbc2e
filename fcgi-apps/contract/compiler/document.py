"""The service's document and the shared components, made one; and the document as it is served."""

import json
import re
from decimal import Decimal

METHODS = ("get", "post", "put", "patch", "delete")
# The shared schemas that the currency completes when a worker starts.
MONEY = {"#/components/schemas/Price": "price", "#/components/schemas/Amount": "amount"}
REFERENCES_MAX = 8  # a $ref may lead to a $ref; further than this it goes in circles


class Fault(Exception):
    """What is wrong with a document: file, JSON Pointer and reason."""


class Gap(str):
    """A value of the served text that is known when a worker starts."""


def below(where, *names):
    """The JSON Pointer (RFC 6901) of a part."""
    for name in names:
        where += "/" + str(name).replace("~", "~0").replace("/", "~1")
    return where


def _unique(pairs):
    result = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f'the member "{name}" is there twice')
        result[name] = value
    return result


def _no_constant(name):
    raise ValueError(f"{name} is no JSON")


def parse(path, text):
    try:
        value = json.loads(
            text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_unique
        )
        # Half a surrogate pair, and what would end a string in C.
        if b"\\u0000" in dump(value).encode():
            raise ValueError("there is a U+0000")
        return value
    except json.JSONDecodeError as error:
        raise Fault(f"{path}: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError as error:
        raise Fault(f"{path}: {error}") from None


def dump(value):
    """Compact JSON; numbers as they were written."""
    if isinstance(value, dict):
        members = (f"{dump(name)}:{dump(member)}" for name, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, Gap):
        return f"\0{value}\0"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def whole(value):
    """The number as an int where it is a whole one, however it is written; else None."""
    return int(value) if is_number(value) and value == int(value) else None


class Document:
    def __init__(self, path, text, shared_path, shared_text):
        self.path = path
        self.shared_path = shared_path
        self.shared = set()  # pointers of what came from the shared components
        self.root = parse(path, text)
        shared = parse(shared_path, shared_text)
        version = self.root.get("openapi") if isinstance(self.root, dict) else None
        if not isinstance(version, str) or not re.fullmatch(r"3\.1\.[0-9]+", version):
            self.refuse("#/openapi", "must be 3.1.x")
        self._merge(shared)
        self._complete()

    def refuse(self, where, reason):
        shared = any(where == part or where.startswith(part + "/") for part in self.shared)
        raise Fault(f"{self.shared_path if shared else self.path}{where}: {reason}")

    # ---- making one of two

    def _merge_missing(self, target, source, where):
        for name, value in source.items():
            if name not in target:
                target[name] = value
                self.shared.add(below(where, name))

    def _merge(self, shared):
        paths = self.root.setdefault("paths", {})
        components = self.root.setdefault("components", {})
        if not isinstance(paths, dict) or not isinstance(components, dict):
            self.refuse("#", "paths and components must be objects")
        self._merge_missing(paths, shared["paths"], "#/paths")
        for name, section in shared["components"].items():
            own = components.setdefault(name, {})
            if not isinstance(own, dict):
                self.refuse("#/components", f"{name} must be an object")
            self._merge_missing(own, section, below("#/components", name))

    def _complete(self):
        info = self.root.get("info")
        if not isinstance(info, dict):
            self.refuse("#", "info must be an object")
        info.setdefault("version", Gap("VERSION"))
        # "." is the folder that the document is served from: right under any prefix.
        self.root.setdefault("servers", [{"url": Gap("SERVER")}])

    def money(self, where):
        """ "price" or "amount" where the currency completes this schema; else None."""
        return MONEY.get(where) if where in self.shared else None

    # ---- reading

    def members(self, value, allowed, where):
        """Refuses what is no object or has a member that is neither allowed nor x-*."""
        if not isinstance(value, dict):
            self.refuse(where, "must be an object")
        for name in value:
            if name not in allowed and not name.startswith("x-"):
                self.refuse(where, f'"{name}" is not supported')

    def flag(self, value, name, where):
        flag = value.get(name, False)
        if not isinstance(flag, bool):
            self.refuse(where, f"{name} must be true or false")
        return flag

    def strings(self, value, name, where):
        strings = value.get(name, [])
        if not isinstance(strings, list):
            self.refuse(where, f"{name} must be a list")
        if not all(isinstance(string, str) for string in strings):
            self.refuse(where, f"{name} must be strings")
        return strings

    def find(self, reference):
        """What a local reference leads to, or None."""
        if not isinstance(reference, str) or not re.fullmatch(r"#(/([^~%/]|~[01])*)*", reference):
            return None
        value = self.root
        for segment in reference.split("/")[1:]:
            name = segment.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", name):
                value = value[int(name)] if int(name) < len(value) else None
            else:
                value = value.get(name) if isinstance(value, dict) else None
        return value

    def resolve(self, value, where):
        """Follows $refs, which may only stand beside summary and description."""
        for _ in range(REFERENCES_MAX):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            self.members(value, ("$ref", "summary", "description"), where)
            reference = value["$ref"]
            value = self.find(reference)
            if value is None:
                self.refuse(where, f'$ref "{reference}" leads nowhere')
        return self.refuse(where, "$ref goes in circles")

    # ---- serving

    def served(self, internal):
        """The text that clients get, with gaps: [text, gap, text, gap, …, text]."""
        paths = self.root["paths"] if internal else _public(self.root["paths"])
        served = dict(self.root, paths=paths, components=self._used_components(paths))
        if "tags" in self.root:
            names = _used_tags(paths)
            served["tags"] = [tag for tag in self.root["tags"] if tag.get("name") in names]
        return dump(served).split("\0")

    def _used_components(self, paths):
        used = set()
        self._mark(paths, used)
        result = {}
        for name, section in self.root["components"].items():
            kept = {
                key: self._as_served(value, below("#/components", name, key))
                for key, value in section.items()
                if below("#/components", name, key) in used
            }
            if kept:
                result[name] = kept
        return result

    def _mark(self, value, used):
        """Adds the components that a value refers to, and what they use themselves."""
        if isinstance(value, list):
            for element in value:
                self._mark(element, used)
        elif isinstance(value, dict):
            for name, member in value.items():
                if name == "$ref" and isinstance(member, str):
                    self._mark_reference(member, used)
                else:
                    self._mark(member, used)

    def _mark_reference(self, reference, used):
        component = "/".join(reference.split("/")[:4])
        if component.startswith("#/components/") and component not in used:
            used.add(component)
            self._mark(self.find(component), used)

    def _as_served(self, value, where):
        kind = self.money(where)
        if kind == "price":
            value = dict(value, maximum=Gap("PRICE_MAXIMUM"))
        return dict(value, **{"x-decimals": Gap("DECIMALS")}) if kind else value


def _public(paths):
    result = {}
    for path, item in paths.items():
        if not isinstance(item, dict):  # an extension
            continue
        kept = {
            name: member
            for name, member in item.items()
            if not (isinstance(member, dict) and member.get("x-internal"))
        }
        if any(method in kept for method in METHODS):
            result[path] = kept
    return result


def _used_tags(paths):
    items = (item for item in paths.values() if isinstance(item, dict))
    operations = (member for item in items for member in item.values() if isinstance(member, dict))
    return {tag for operation in operations for tag in operation.get("tags", ())}
