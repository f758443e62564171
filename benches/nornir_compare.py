#!/usr/bin/env python3
"""The same plan and the same apply by nornir + netmiko and by gamops, on the same simulated devices.

    cargo build --release && python3 benches/nornir_compare.py

Installs nornir and netmiko from PyPI into a virtual environment under `target/` on its first run, generates an
inventory, starts `gamops simulate --blank` for it on loopback, and measures the wall time of

* plan: log in to every device, `show running-config`, compare with the wish;
* apply: log in, read, send the commands, read back and compare, save.

What makes it fair:

* The commands are those that `gamops plan --format json` prints, so both send the same.
* nornir is told what each device is to hold; gamops works it out from the inventory, validates, matches, orders and keeps a
  journal on disk. nornir compares lines with `in`. gamops reads three times in an apply, nornir twice.
* nornir runs with its default of 20 workers in threads, netmiko with its defaults: `global_delay_factor` 1, `fast_cli`
  on. More workers make it slower on few cores, since the SSH library is bound to Python's one lock.
* netmiko's `cisco_ios` is the driver that fits the device's command line (its prompts, `configure terminal`, `end`,
  `terminal length 0`), and the one that people take; its two questions at login cost as on any such device.
* Imports and the start of the interpreter are not counted for nornir; the start of the program is counted for gamops.
* Devices answer at once: a slow management network would add the same to both.

Prints `name: value` lines. Ends with an error where a device does not hold what it should afterwards.
"""

import argparse
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ["nornir==3.6.0", "nornir-netmiko==1.0.1", "netmiko==4.8.0"]
SUBSCRIBERS = 24
AT_LEAST = 30
# No step takes longer than this, in seconds; a run that does has hung.
DEADLINE = 600


def in_virtual_environment():
    """Starts this script again inside the virtual environment, made where it is missing."""
    folder = ROOT / "target" / "nornir"
    python = folder / "bin" / "python"
    if Path(sys.prefix) == folder:
        return
    if not (folder / "ready").exists():
        print(f"installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=DEADLINE)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True, timeout=DEADLINE)
        (folder / "ready").touch()
    os.execv(python, [str(python), *sys.argv])


def free_ports(count):
    """Ports that are free for TCP and UDP, below those that the system gives out by itself."""
    held, ports = [], []
    for port in range(20_000, 32_000):
        pair = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
        held += pair
        try:
            for one in pair:
                one.bind(("127.0.0.1", port))
        except OSError:
            continue
        ports.append(port)
        if len(ports) == count:
            break
    for one in held:
        one.close()
    return ports


def write_inventory(folder, ports):
    (folder / "gamops.yaml").write_text(
        "format: 1\ninventory: compare\ndefaults: { credentials: factory, mode: manage }\n"
        "policies: { guards: { change_devices: unlimited } }\n"
    )
    (folder / "plans.yaml").write_text("plans:\n  gold: { rate: 500 Mbps }\n  silver: { rate: 100 Mbps }\n")
    for number, port in enumerate(ports):
        lines = [
            "devices:",
            f"  gam-{number:03}:",
            "    model: GAM-24-M",
            "    address: 127.0.0.1",
            f"    transport: {{ ssh_port: {port}, snmp_port: {port} }}",
            "subscribers:",
        ]
        for line in range(1, SUBSCRIBERS + 1):
            plan = "gold" if line % 2 == 0 else "silver"
            mac = f"00:0e:d8:{number // 256:02x}:{number % 256:02x}:{line:02x}"
            lines.append(
                f'  s-{number:03}-{line:02}: {{ device: gam-{number:03}, endpoint: "{mac}", port: {line}, '
                f"plan: {plan}, vlan: {100 + line} }}"
            )
        (folder / f"gam-{number:03}.yaml").write_text("\n".join(lines) + "\n")


class Gamops:
    """The program, with an inventory and a state database of its own."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.environment = {
            "HOME": str(folder),
            "PATH": os.environ.get("PATH", ""),
            "GAMOPS_INVENTORY": str(folder),
            "GAMOPS_STATE": str(folder / "state.db"),
        }

    def run(self, *arguments):
        """Gives what it said and how long it took."""
        began = time.monotonic()
        ran = subprocess.run(
            [self.program, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        took = time.monotonic() - began
        if ran.returncode != 0:
            sys.exit(f"gamops {' '.join(arguments)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return ran.stdout, took

    def simulate(self, devices):
        """Starts every device of the inventory, factory-fresh."""
        simulator = subprocess.Popen(
            [self.program, "simulate", "--blank", "-i", str(self.folder)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in simulator.stdout:
            if line.strip() == f"{devices} devices are up":
                return simulator
        sys.exit("the simulator did not come up")


def stop(simulator):
    simulator.terminate()
    simulator.wait(timeout=30)


class Nornir:
    """A fleet as nornir has it."""

    def __init__(self, folder, ports, wishes, workers):
        from nornir import InitNornir

        hosts = {
            f"gam-{number:03}": {"hostname": "127.0.0.1", "port": port, "data": {"wish": wishes[f"gam-{number:03}"]}}
            for number, port in enumerate(ports)
        }
        defaults = {
            "username": "admin",
            "password": "",
            "platform": "cisco_ios",
            # netmiko's own default, said here so that it can be read.
            "connection_options": {"netmiko": {"extras": {"global_delay_factor": 1}}},
        }
        # YAML takes JSON.
        files = {"hosts": hosts, "groups": {}, "defaults": defaults}
        options = {}
        for name, content in files.items():
            path = folder / f"nornir-{name}.json"
            path.write_text(json.dumps(content))
            options[f"{name[:-1] if name != 'defaults' else name}_file"] = str(path)
        self.nornir = InitNornir(
            runner={"plugin": "threaded", "options": {"num_workers": workers}},
            inventory={"plugin": "SimpleInventory", "options": options},
            logging={"enabled": False},
        )

    def run(self, task):
        """Gives the results by device and how long it took, logins included."""
        began = time.monotonic()
        results = self.nornir.run(task=task)
        took = time.monotonic() - began
        self.nornir.close_connections(on_good=True, on_failed=True)
        for device, result in results.items():
            if result.failed:
                sys.exit(f"nornir: {device}: {result[0].exception!r}\n{result[0].result}")
        return {device: result[0].result for device, result in results.items()}, took


def missing(task):
    """Which lines of the wish the device does not hold."""
    from nornir_netmiko.tasks import netmiko_send_command

    running = task.run(netmiko_send_command, command_string="show running-config").result
    held = {canonical(line) for line in running.splitlines()}
    return [line for line in task.host["wish"] if canonical(line) not in held]


def canonical(line):
    """A line by its words: the device prints them in an order of its own."""
    return tuple(sorted(line.replace('"', "").split()))


def plan(task):
    from nornir.core.task import Result

    return Result(host=task.host, result=missing(task))


def apply(task):
    from nornir.core.task import Result
    from nornir_netmiko.tasks import netmiko_send_command, netmiko_send_config

    to_send = missing(task)
    if to_send:
        task.run(netmiko_send_config, config_commands=to_send)
        left = missing(task)
        if len(left) == len(to_send):
            raise ValueError(f"nothing arrived: {left[:3]}")
        task.run(netmiko_send_command, command_string="copy running-config startup-config", read_timeout=60)
    return Result(host=task.host, result=to_send)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--workers", type=int, default=20, help="of nornir; its default is 20")
    parser.add_argument("--gamops", default=str(ROOT / "target" / "release" / "gamops"))
    options = parser.parse_args()
    if not Path(options.gamops).exists():
        sys.exit(f"there is no {options.gamops}; run `cargo build --release` first")
    in_virtual_environment()
    logging.disable(logging.CRITICAL)
    # Importing is not what is measured.
    import netmiko
    import nornir_netmiko.tasks  # noqa: F401

    with tempfile.TemporaryDirectory() as name:
        compare(options, Path(name), netmiko.__version__)


def compare(options, folder, netmiko_version):
    ports = free_ports(options.devices)
    write_inventory(folder, ports)
    gamops = Gamops(options.gamops, folder)
    print(f"devices: {options.devices}")
    print(f"subscribers: {options.devices * SUBSCRIBERS}")
    print(f"nornir: {options.workers} workers, netmiko {netmiko_version} with its default delays")

    simulator = gamops.simulate(options.devices)
    try:
        # The first run meets the devices and pins them.
        said, _ = gamops.run("plan", "--format", "json")
        devices = json.loads(said)["devices"]
        wishes = {
            device["device"]: [command for step in device["steps"] for command in step["commands"]]
            for device in devices
        }
        fleet = Nornir(folder, ports, wishes, options.workers)
        _, ours = min((gamops.run("plan") for _ in range(3)), key=lambda run: run[1])
        found, theirs = fleet.run(plan)
        if any(found[device] != wish for device, wish in wishes.items()):
            sys.exit("nornir does not find what gamops finds")
        report("plan", theirs, ours)
        _, ours = gamops.run("apply", "--auto-approve")
    finally:
        stop(simulator)

    simulator = gamops.simulate(options.devices)
    try:
        _, theirs = fleet.run(apply)
        report("apply", theirs, ours)
        said, _ = gamops.run("plan")
        if "No changes." not in said:
            sys.exit(f"after nornir's apply there is something left to do:\n{said}")
    finally:
        stop(simulator)


def report(what, theirs, ours):
    print(f"{what} by nornir + netmiko, seconds: {theirs:.2f}")
    print(f"{what} by gamops, seconds: {ours:.2f}")
    ratio = theirs / ours
    verdict = "met" if ratio >= AT_LEAST else "missed"
    print(f"{what}, how many times slower nornir is: {ratio:.1f} (target: at least {AT_LEAST}; {verdict})", flush=True)


if __name__ == "__main__":
    main()
