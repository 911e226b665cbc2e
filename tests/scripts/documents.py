"""The commands of a document."""

import re
from itertools import groupby

from testbed import ROOT


def commands(document, heading):
    """The blocks of commands below a heading, up to the next one."""
    lines = (ROOT / document).read_text().splitlines()
    start = lines.index(heading) + 1
    end = next((i for i in range(start, len(lines)) if re.match(r"#+ ", lines[i])), len(lines))
    blocks = []
    for is_block, group in groupby(lines[start:end], key=lambda line: line.startswith("    ")):
        if is_block:
            blocks.append("\n".join(line[4:] for line in group) + "\n")
    return blocks
