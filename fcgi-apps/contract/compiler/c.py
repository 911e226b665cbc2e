"""Literals and initialisers of C."""


def quote(text):
    """A C string literal; long ones in lines, so that diffs and compilers can read them."""
    if text is None:
        return "NULL"
    parts, line = [], ""
    for byte in text.encode():
        character = chr(byte)
        if character in '"\\':
            line += "\\" + character
        else:
            line += character if " " <= character <= "~" else f"\\{byte:03o}"
        if len(line) > 90:
            parts.append(line)
            line = ""
    return "\n\t".join(f'"{part}"' for part in [*parts, line] if part) or '""'


def fields(**values):
    """{.name = value, …}, without what is all zero anyway."""
    said = {name: value for name, value in values.items() if value not in (None, "0", "false")}
    return "{" + ", ".join(f".{name} = {value}" for name, value in said.items()) + "}"


def array(type_, elements):
    """A constant array as an expression."""
    return f"(const {type_}[]){{{', '.join(elements)}}}" if elements else None


def pointer(type_, initialiser):
    return f"&(const struct {type_}){initialiser}"


def hexadecimal(value):
    return f"UINT64_C(0x{value:x})" if value else "0"


def boolean(value):
    return "true" if value else "false"
