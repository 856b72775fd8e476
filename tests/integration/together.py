"""together.py MODULE.CLASS...: runs test classes at once, each in a process of its own; fails when one of them does."""

import subprocess
import sys


def main():
    running = [subprocess.Popen([sys.executable, "-B", "-m", "unittest", "-v", name], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True) for name in sys.argv[1:]]
    for process in running:
        sys.stdout.write(process.communicate()[0])
    return max(process.returncode for process in running)


if __name__ == "__main__":
    sys.exit(main())
