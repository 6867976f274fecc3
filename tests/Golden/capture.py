#!/usr/bin/env python3
"""Makes the captures in this folder anew: real QEMUs migrate to each other through a relay that keeps both directions.

usage: capture.py [NAME ...]      (needs the QEMUs of eng/install-qemu in PATH or its cache)
"""
import gzip
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("GODWIT_PEERS") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "godwit")
OLD, NEW = "qemu-system-riscv64", "qemu-newest-system-riscv64"
HEARTBEAT = ["-M", "virt", "-bios", "none", "-m", "16M", "-nodefaults", "-kernel", str(ROOT / "guests/heartbeat/heartbeat.elf")]


def beat(options):
    return [*HEARTBEAT, "-append", options]


# The devices are driven by hand (QEMU: system/qtest.c), while the hart has nothing to run and traps for ever.
DRIVEN = ["-M", "virt,accel=tcg", "-bios", "none", "-m", "16M", "-nodefaults", "-qtest", "unix:{folder}/{name}.qtest,server=on,wait=off", "-qtest-log", "none",
          "-chardev", "socket,id=c,path={folder}/{name}.serial,server=on,wait=off", "-serial", "chardev:c"]
MTIMER, RTC, PLIC, UART, FW_CFG, FLASH, ECAM = 0x2004000, 0x101000, 0xC000000, 0x10000000, 0x10100000, 0x20000000, 0x30000000


def receiving(machine):
    """Every device in the middle of something; the serial port has ten bytes that nobody has taken, and more to say."""
    # A byte takes six seconds, so that nothing has timed out yet.
    machine.write("b", (UART + 3, 0x83), (UART, 0xFF), (UART + 1, 0xFF), (UART + 3, 0x03), (UART + 2, 0x81), (UART + 1, 0x03))
    machine.serial.sendall(b"0123456789")
    machine.until(UART + 2, 0xC4)
    machine.write("q", (MTIMER + 0x7FF8, 0x1000), (MTIMER, 0x123456789ABC))
    machine.write("l", (RTC + 0x0C, 0x70000000), (RTC + 0x08, 0x12345678), (RTC + 0x10, 1))
    machine.write("l", (PLIC + 4 * 10, 3), (PLIC + 4 * 11, 5), (PLIC + 0x2000, 0xC00), (PLIC + 0x2080, 0x800), (PLIC + 0x201000, 1))
    machine.read("l", PLIC + 0x200004)
    # Half of a DMA's address, and the first half of an entry.
    machine.write("l", (FW_CFG + 16, 0x78563412))
    machine.write("w", (FW_CFG + 8, 0x0000))
    machine.read("w", FW_CFG)
    # Three words of a buffered write of sixteen.
    machine.write("l", (FLASH + 0x40000, 0xE800E8), (FLASH + 0x40000, 0x0F000F), *((FLASH + 0x40000 + 4 * n, 0x11111111 * n) for n in range(3)))
    machine.write("l", (ECAM + 0x04, 0x0006), (ECAM + 0x3C, 0x000000FF))


def stalled(machine):
    """The serial port's other end takes nothing any more, and what came in has waited for too long; a clock whose alarm went off; a flash
    that is asked for its status."""
    machine.write("b", (UART + 2, 0xC1), (UART + 1, 0x0D))
    machine.serial.sendall(b"abc")
    machine.until(UART + 5, 0x61)
    machine.until(UART + 2, 0xCC)
    while machine.read("b", UART + 5) & 0x20:
        machine.write("b", (UART, 0x55))
    machine.write("b", (UART, 0x66), (UART, 0x77))
    machine.write("l", (RTC + 0x10, 1), (RTC + 0x0C, 0), (RTC + 0x08, 1))
    machine.write("l", (FLASH + (32 << 20), 0x700070))


LOADED = ["-bios", "{folder}/blank", "-device", f"loader,addr=0x80100000,force-raw=on,file={ROOT / 'guests/heartbeat/heartbeat.elf'}"]

# Pages that aren't zero, for a machine that doesn't run.
PATTERN = ["-device", "loader,file={folder}/pattern,addr=0x200000,force-raw=on"]

# name: (QEMU, its options, capabilities, what else)
CAPTURES = {
    "virt-11.1": (NEW, beat("pages=16 rate=1000"), [], {}),
    "virt-10.0-xbzrle": (OLD, beat("pages=64 rate=max pattern=counter"), ["return-path", "xbzrle", "events"], {"rounds": 4}),
    "virt-11.1-postcopy": (NEW, beat("pages=32 rate=max pattern=sparse"), ["postcopy-ram"], {"postcopy": True}),
    "virt-10.0-multifd": (OLD, beat("pages=8"), ["multifd"], {}),
    "virt-11.1-multifd": (NEW, beat("pages=16 rate=1000"), ["multifd"], {"channels": {}}),
    "virt-11.1-multifd-zlib": (NEW, beat("pages=16 rate=1000"), ["multifd"], {"channels": {"multifd-compression": "zlib"}}),
    "virt-11.1-multifd-zstd": (NEW, beat("pages=16 rate=1000"), ["multifd"], {"channels": {"multifd-compression": "zstd"}}),
    "virt-10.0-multifd-sections": (
        OLD, [*beat("pages=16 rate=1000"), "-global", "migration.multifd-flush-after-each-section=on"], ["multifd"], {"channels": {}}),
    "alpha-10.0-multifd": (
        "qemu-system-alpha", ["-m", "8M", "-S", "-nodefaults", "-vga", "none", "-bios", "{folder}/alpha.elf", *PATTERN], ["multifd"], {"channels": {}}),
    "s390x-10.0-multifd": (
        "qemu-system-s390x", ["-m", "8M", "-S", "-bios", "{folder}/small", *PATTERN], ["multifd"], {"channels": {"zero-page-detection": "legacy"}}),
    "virt-10.0-ignore-shared": (
        OLD,
        ["-M", "virt,memory-backend=m", "-object", "memory-backend-file,id=m,mem-path={folder}/ram,size=16M,share=on", "-m", "16M",
         "-bios", "none", "-nodefaults", "-uuid", "7f0a5a3e-57c5-4b0b-9a0d-0c6a3c1f6a11", "-S"],
        ["x-ignore-shared", "validate-uuid", "return-path"], {}),
    "virt-10.0-no-footers": (OLD, [*beat("pages=8 rate=0"), "-global", "migration.send-section-footer=off"], [], {}),
    "virt-10.0-no-description": (
        OLD, [*beat("pages=8 rate=0"), "-machine", "suppress-vmdesc=on", "-global", "migration.send-configuration=off"], ["return-path"], {}),
    "virt-11.1-receiving": (NEW, DRIVEN, [], {"drive": receiving}),
    "virt-11.1-stalled": (NEW, DRIVEN, [], {"drive": stalled}),
    # A board of little memory, as its pages stand at their own places of the file, empty ones too.
    "spike-11.1-mapped-ram": (NEW, ["-M", "spike", "-m", "4M", *LOADED, "-S"], ["mapped-ram"], {"file": 0}),
    "spike-10.0-mapped-ram-offset": (
        OLD, ["-M", "spike", "-m", "4M", *LOADED, "-S"], ["mapped-ram", "multifd"], {"file": 0x1234}),
    # Machines without their firmware, which isn't ours to keep: blanks take its place.
    "pc-10.0": (
        "qemu-system-x86_64",
        ["-M", "pc", "-m", "2M", "-S", "-nodefaults", "-bios", "{folder}/blank", "-global", "apic-common.vapic=off",
         "-device", "virtio-blk-pci,drive=d,romfile=", "-drive", "if=none,id=d,file={folder}/blank,format=raw,readonly=on"],
        ["return-path"], {}),
    "s390x-10.0": ("qemu-system-s390x", ["-m", "8M", "-S", "-bios", "{folder}/small"], [], {}),
    "alpha-10.0": ("qemu-system-alpha", ["-m", "8M", "-S", "-nodefaults", "-vga", "none", "-bios", "{folder}/alpha.elf"], [], {}),
}


def blanks(folder):
    pathlib.Path(folder, "blank").write_bytes(bytes(65536))
    pathlib.Path(folder, "small").write_bytes(bytes(4096))
    pathlib.Path(folder, "pattern").write_bytes(b"".join(struct.pack(">Q", i // 64) for i in range(400 << 7)))
    base, size = 0xFFFFFC0000000000, 8192
    header = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 0x9026, 1, base, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 120, base, base, size, size, 8192)
    pathlib.Path(folder, "alpha.elf").write_bytes(header + segment + bytes(size))


class Machine:
    def __init__(self, program, options, folder, name):
        self.path = f"{folder}/{name}.qmp"
        found = CACHE / "bin" / program
        self.process = subprocess.Popen(
            [str(found) if found.exists() else program, *[o.replace("{folder}", folder).replace("{name}", name) for o in options],
             "-display", "none", "-qmp", f"unix:{self.path},server=on,wait=off"])
        for _ in range(200):
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(self.path)
                break
            except OSError:
                time.sleep(0.05)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def capabilities(self, names):
        self("migrate-set-capabilities", capabilities=[{"capability": n, "state": True} for n in names])

    def status(self):
        return self("query-migrate").get("status")

    def wait(self, *states):
        for _ in range(600):
            if self.status() in states:
                return
            time.sleep(0.05)
        raise RuntimeError(f"the migration is {self.status()}, not {states}")

    def end(self):
        self.process.kill()
        self.process.wait()


class Driven:
    """A machine's devices, over the qtest protocol, and the far end of its serial port."""

    def __init__(self, folder, name):
        self.socket, self.serial = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{folder}/{name}.qtest")
        self.serial.connect(f"{folder}/{name}.serial")
        self.file = self.socket.makefile("rw")

    def ask(self, command):
        self.file.write(command + "\n")
        self.file.flush()
        while not (line := self.file.readline()).startswith("OK"):
            if not line.startswith("IRQ"):
                raise RuntimeError(f"{command}: {line}")
        return line[2:].strip()

    def write(self, size, *pairs):
        for address, value in pairs:
            self.ask(f"write{size} {address:#x} {value:#x}")

    def read(self, size, address):
        return int(self.ask(f"read{size} {address:#x}"), 16)

    def until(self, address, value):
        for _ in range(600):
            if self.read("b", address) == value:
                return
            time.sleep(0.01)
        raise RuntimeError(f"{address:#x} is {self.read('b', address):#x}, not {value:#x}")


def relay(listen, connect, forward, back):
    """Passes on each connection; keeps the bytes of the first one."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(listen)
    server.listen(16)

    def pump(source, target, keep):
        while data := source.recv(65536):
            if keep is not None:
                keep.extend(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def accept():
        first = True
        while True:
            client, _ = server.accept()
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(connect)
            threading.Thread(target=pump, args=(client, peer, forward if first else None), daemon=True).start()
            threading.Thread(target=pump, args=(peer, client, back if first else None), daemon=True).start()
            first = False

    threading.Thread(target=accept, daemon=True).start()


def record(listen, connections):
    """Takes so many connections of a source, which waits for no answer; all their bytes."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(listen)
    server.listen(16)
    kept = [bytearray() for _ in range(connections)]

    def take(into):
        client, _ = server.accept()
        while data := client.recv(65536):
            into.extend(data)

    threads = [threading.Thread(target=take, args=(into,), daemon=True) for into in kept]
    for thread in threads:
        thread.start()
    return kept, threads


def capture_channels(name):
    """A source with two multifd channels: the main one as NAME.stream.gz, the others as NAME.channelN.gz."""
    program, options, capabilities, more = CAPTURES[name]
    folder = tempfile.mkdtemp()
    blanks(folder)
    source = Machine(program, options, folder, "source")
    try:
        time.sleep(0.3)
        source.capabilities(capabilities)
        source("migrate-set-parameters", **{"multifd-channels": 2, **more["channels"]})
        kept, threads = record(f"{folder}/in", 3)
        source("migrate", uri=f"unix:{folder}/in")
        source.wait("completed")
        for thread in threads:
            thread.join()
        for data in kept:
            main = data.startswith(b"QEVM")
            write(f"{name}.stream.gz" if main else f"{name}.channel{data[24]}.gz", data)
    finally:
        source.end()
        shutil.rmtree(folder)


def capture_file(name):
    """A source that writes a mapped-ram file: NAME.mapped.gz."""
    program, options, capabilities, more = CAPTURES[name]
    folder = tempfile.mkdtemp()
    blanks(folder)
    source = Machine(program, options, folder, "source")
    try:
        source.capabilities(capabilities)
        source("migrate", uri=f"file:{folder}/out,offset={more['file']}")
        source.wait("completed")
        write(f"{name}.mapped.gz", pathlib.Path(folder, "out").read_bytes())
    finally:
        source.end()
        shutil.rmtree(folder)


def capture(name):
    program, options, capabilities, more = CAPTURES[name]
    if "channels" in more:
        capture_channels(name)
        return
    if "file" in more:
        capture_file(name)
        return
    folder = tempfile.mkdtemp()
    blanks(folder)
    source = Machine(program, options, folder, "source")
    destination = Machine(program, [*options, "-incoming", "defer"], folder, "destination")
    try:
        time.sleep(0.3)
        if more.get("drive"):
            driven = Driven(folder, "source")
            more["drive"](driven)
        forward, back = bytearray(), bytearray()
        for machine in (source, destination):
            machine.capabilities(capabilities)
        destination("migrate-incoming", uri=f"unix:{folder}/in")
        relay(f"{folder}/relay", f"{folder}/in", forward, back)
        if more.get("rounds"):
            source("migrate-set-parameters", **{"max-bandwidth": 1 << 20, "downtime-limit": 1, "avail-switchover-bandwidth": 1000000,
                                                "xbzrle-cache-size": 16 << 20})
        source("migrate", uri=f"unix:{folder}/relay")
        if more.get("rounds"):
            # QEMU weighs whether to switch over only after its first 100 ms.
            time.sleep(0.3)
            source("migrate-set-parameters", **{"max-bandwidth": 20 << 20, "downtime-limit": 1})
            while source("query-migrate").get("ram", {}).get("dirty-sync-count", 0) < more["rounds"]:
                time.sleep(0.01)
            source("migrate-set-parameters", **{"max-bandwidth": 0, "downtime-limit": 2000, "avail-switchover-bandwidth": 0})
        if more.get("postcopy"):
            source("migrate-set-parameters", **{"max-bandwidth": 1 << 20, "downtime-limit": 0})
            while source("query-migrate").get("ram", {}).get("dirty-sync-count", 0) < 2:
                time.sleep(0.01)
            source("migrate-start-postcopy")
        source.wait("completed")
        time.sleep(0.3)
        write(f"{name}.stream.gz", forward)
        if back:
            write(f"{name}.return.gz", back)
    finally:
        source.end()
        destination.end()
        shutil.rmtree(folder)


def write(name, data):
    with open(HERE / name, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as packed:
        packed.write(data)
    print(f"{name}: {len(data)} bytes")


for wanted in sys.argv[1:] or CAPTURES:
    capture(wanted)
