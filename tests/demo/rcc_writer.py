"""Qt's resource files as `rcc -binary` writes them, in Python: a writer to test the reader with."""

from __future__ import annotations

import struct
import zlib


def write_rcc(files, version=3, compress=(), flags=None):
    """The bytes of an .rcc with `files` {path: bytes}; `compress` names those to be stored by zlib.

    `flags` {path: int} overrules what a file's node says of its compression.
    """
    tree = {}
    for path, data in files.items():
        *folders, name = path.split("/")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[name] = data
    names, datas, nodes = bytearray(), bytearray(), []

    def add_name(name):
        offset = len(names)
        names.extend(struct.pack(">HI", len(name.encode("utf-16-be")) // 2, 0) + name.encode("utf-16-be"))
        return offset

    level = [("", "", tree)]
    count = 1
    while level:
        below = []
        for path, name, node in level:
            offset = add_name(name)
            if isinstance(node, dict):
                children = sorted(node.items())
                nodes.append(struct.pack(">IHII", offset, 2, len(children), count + len(below)))
                below += [(f"{path}/{child}".lstrip("/"), child, inner) for child, inner in children]
            else:
                flag = int(path in compress)
                packed = struct.pack(">I", len(node)) + zlib.compress(node) if flag else node
                at = len(datas)
                datas.extend(struct.pack(">I", len(packed)) + packed)
                nodes.append(struct.pack(">IHHHI", offset, (flags or {}).get(path, flag), 0, 0, at))
        count += len(below)
        level = below
    body = b"".join(node + (b"\0" * 8 if version > 1 else b"") for node in nodes)
    start = 20 + (4 if version >= 3 else 0)
    head = b"qres" + struct.pack(">4I", version, start, start + len(body), start + len(body) + len(datas))
    return head + (b"\0" * 4 if version >= 3 else b"") + body + bytes(datas) + bytes(names)
