"""Two machines and the cable between them: two network namespaces whose only link is this process.

Each namespace has a TUN device; a thread carries every IP packet from one to the other, and loses, delays or forges
what a test asks for. That needs root and /dev/net/tun, and nothing of the kernel's netem or netfilter, which many
kernels lack. Nothing is left behind: the namespaces are of processes that die with this one, and have no names that
could collide.
"""

import collections
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time

import fleet

TUNSETIFF = 0x400454ca
IFF_TUN_WITHOUT_HEADER = 0x1001
TCP = 6
RST = 4

# The fields of a TCP packet that are looked at; `flow` is the same for both directions.
Segment = collections.namedtuple("Segment", "source target source_port target_port seq ack payload flow")


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def parse(packet):
    """The TCP segment of an IPv4 packet; None for anything else."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != TCP:
        return None
    header = (packet[0] & 15) * 4
    source, target = packet[12:16], packet[16:20]
    source_port, target_port, seq, ack, offset = struct.unpack_from("!HHIIB", packet, header)
    payload = struct.unpack_from("!H", packet, 2)[0] - header - (offset >> 4) * 4
    flow = frozenset([(source, source_port), (target, target_port)])
    return Segment(source, target, source_port, target_port, seq, ack, payload, flow)


def reset_packet(source, target, source_port, target_port, seq):
    """An IPv4 packet with a bare RST."""
    tcp = struct.pack("!HHIIBBHHH", source_port, target_port, seq & 0xffffffff, 0, 5 << 4, RST, 0, 0, 0)
    pseudo = source + target + struct.pack("!BBH", 0, TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, TCP, 0, source, target)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


class Machine:
    """One end: a namespace that lives as long as its process, and the TUN device in it."""

    def __init__(self, address):
        self.address = address
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sh", "-c", "echo; exec sleep infinity"],
            stdout=subprocess.PIPE)
        if self.holder.stdout.read(1) != b"\n":  # written inside
            raise AssertionError("no network namespace can be made here: these tests need root with CAP_SYS_ADMIN")
        self.namespace = f"/proc/{self.holder.pid}/ns/net"
        try:
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            request = fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH22x", b"fmwire%d", IFF_TUN_WITHOUT_HEADER))
        except OSError as error:
            raise AssertionError(f"no TUN device can be made here ({error}): these tests need /dev/net/tun") from error
        self.device = request[:16].rstrip(b"\0").decode()
        subprocess.run(["ip", "link", "set", self.device, "netns", str(self.holder.pid)], check=True)
        self.ip("link", "set", "lo", "up")
        self.ip("address", "add", f"{address}/24", "dev", self.device)
        self.ip("link", "set", self.device, "up")
        self.place = fleet.Place(prefix=("nsenter", f"--net={self.namespace}", "--"), host=address,
                                 environment={"FLEETMARK_INSECURE": "true"})

    def ip(self, *arguments):
        subprocess.run(["nsenter", f"--net={self.namespace}", "--", "ip", *arguments], check=True)

    def move_to(self, address):
        """The machine has another address from now on."""
        self.ip("address", "flush", "dev", self.device)
        self.ip("address", "add", f"{address}/24", "dev", self.device)
        self.address = address

    def close(self):
        os.close(self.tun)
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Wire:
    """The cable. What it does is set by plain attributes, at any time:

    loss       of each end as the sender: the share of its packets that vanish, 0 to 1
    delay_s    of every packet
    resetting  every segment of data, either way, is answered with a reset of its connection instead of being delivered
    """

    def __init__(self):
        self.left = Machine("10.111.0.1")
        self.right = Machine("10.111.0.2")
        self.loss = {self.left: 0.0, self.right: 0.0}
        self.delay_s = 0.0
        self.resetting = False
        self.carried = 0  # packets
        self.resets = 0
        self._dice = random.Random(20261128)
        self._lock = threading.Lock()
        self._flows = set()
        self._forgotten = set()
        self._due = []  # (when, number, tun, packet)
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def cut(self):
        self.loss = {end: 1.0 for end in self.loss}

    def heal(self):
        self.loss = {end: 0.0 for end in self.loss}
        self.delay_s = 0.0
        self.resetting = False

    def forget(self):
        """What a NAT does with connections that were idle for long: their packets vanish, and neither end is told."""
        with self._lock:
            self._forgotten |= self._flows
            return len(self._forgotten)

    def close(self):
        os.write(self._waker, b"x")
        self._thread.join()
        for end in (self.left, self.right):
            end.close()
        os.close(self._wake)
        os.close(self._waker)

    def _carry(self):
        other = {self.left: self.right, self.right: self.left}
        end_of = {end.tun: end for end in other}
        number = 0
        while True:
            timeout = max(0, self._due[0][0] - time.monotonic()) if self._due else None
            readable, _, _ = select.select([*end_of, self._wake], [], [], timeout)
            if self._wake in readable:
                return
            for tun in readable:
                for packet in self._take(end_of[tun], other[end_of[tun]]):
                    number += 1
                    heapq.heappush(self._due, (time.monotonic() + self.delay_s, number, *packet))
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, tun, packet = heapq.heappop(self._due)
                self._put(tun, packet)

    def _take(self, sender, receiver):
        """What becomes of the next packet of `sender`: pairs of a device and what to write to it."""
        try:
            packet = os.read(sender.tun, 65536)
        except OSError:
            return []
        if packet[0] >> 4 != 4 or self._dice.random() < self.loss[sender]:
            return []  # IPv6 only speaks with itself here
        segment = parse(packet)
        if segment is not None:
            with self._lock:
                self._flows.add(segment.flow)
                if segment.flow in self._forgotten:
                    return []
            if self.resetting and segment.payload > 0:
                self.resets += 1
                there = (segment.source, segment.target, segment.source_port, segment.target_port, segment.seq)
                back = (segment.target, segment.source, segment.target_port, segment.source_port, segment.ack)
                return [(receiver.tun, reset_packet(*there)), (sender.tun, reset_packet(*back))]
        self.carried += 1
        return [(receiver.tun, packet)]

    @staticmethod
    def _put(tun, packet):
        try:
            os.write(tun, packet)
        except OSError:
            pass  # the device is down, or its queue full: lost
