"""Mounts that only some programs of a test see: in a mount namespace of their own."""

import os
import subprocess
import unittest


def prefix(script):
    """Words to stand before a command line, which `script` has in "$@"."""
    return ["unshare", "--mount", "sh", "-c", f'{script} && exec "$@"', "mounts"]


def may_mount():
    attempt = prefix("mount -t tmpfs tmpfs /mnt")
    return os.geteuid() == 0 and subprocess.run([*attempt, "true"], capture_output=True).returncode == 0


# Containers often have root without the right to mount; and in a plain chroot "/" is no mount that could be cut off.
needs_mount = unittest.skipUnless(may_mount(), "needs root with the right to mount, and a / that is a mount")
