"""Print the line of README's first bash block that holds a word: CI runs what users read."""

import re
import sys
from pathlib import Path


def main() -> int:
    readme, word = sys.argv[1:]
    blocks = re.findall(r"```(?:bash|sh|shell)\n(.*?)```", Path(readme).read_text("utf-8"), re.S)
    for block in blocks:
        for line in block.splitlines():
            command = line.split("  #")[0].strip()
            if word in command:
                sys.stdout.write(command + "\n")
                return 0
    sys.stderr.write(f"README has no bash line with {word!r}\n")
    return 1


sys.exit(main())
