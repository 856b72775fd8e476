"""deploy/setup.sh and deploy/quickstart.sh with stand-ins for what they would install and start."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import fleet


class Script(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="fleetmark-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def bash(self, script, environment=None):
        """Runs `script` after setup.sh was sourced; its output and status."""
        prelude = f'set -euo pipefail; source "{self.source()}/deploy/setup.sh"; LOG_DIR="{self.directory}"\n'
        return subprocess.run(["bash", "-c", prelude + script], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})

    def source(self):
        """A copy of deploy/, so that build/ beside it is the test's own."""
        tree = self.directory / "tree"
        if not tree.exists():
            shutil.copytree(fleet.SOURCE / "deploy", tree / "deploy")
        return tree

    def fake_pip(self, version, *others):
        """A virtual environment whose pip resolves torch to `version` and brings `others`."""
        names = [f'{{"metadata": {{"name": "torch", "version": "{version}"}}}}']
        names += [f'{{"metadata": {{"name": "{name}", "version": "1"}}}}' for name in others]
        pip = self.source() / "build/torch-venv/bin/pip"
        pip.parent.mkdir(parents=True)
        pip.write_text('#!/bin/bash\nwhile (($#)); do [[ $1 == --report ]] && report=$2; shift; done\n'
                       f'echo \'{{"install": [{", ".join(names)}]}}\' >"$report"\n')
        pip.chmod(0o755)


class Shell(Script):
    def test_a_failing_step_is_one_sentence_and_the_end_of_its_log(self):
        result = self.bash('step build "Building" bash -c "echo first; echo the cause; exit 3"')
        self.assertEqual(3, result.returncode, "the status of what failed")
        self.assertIn('error: "Building" failed with status 3', result.stderr)
        self.assertIn("| the cause", result.stderr)

    def test_a_step_says_what_it_does_and_how_long_it_took(self):
        result = self.bash('step build "Building" true')
        self.assertRegex(result.stdout, r"\[1\] Building\n    done in \d+\.\d s")

    def test_a_signal_ends_all_that_a_step_started(self):
        script = ('trap "stop_step" EXIT; trap "exit 130" INT\n'
                  f'step long "Long" bash -c "sleep 1000 & echo \\$! >{self.directory}/child; wait"')
        prelude = f'set -euo pipefail; source "{self.source()}/deploy/setup.sh"; LOG_DIR="{self.directory}"\n'
        process = subprocess.Popen(["bash", "-c", prelude + script], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        child = self.directory / "child"
        fleet.wait_until(lambda: child.exists() and child.read_text().strip(), "the step has a child")
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, process.wait(30))
        pid = child.read_text().strip()
        fleet.wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), "the child is gone")

    def test_only_what_is_absent_is_installed(self):
        script = ('is_installed() { [[ $1 == here ]]; }\nas_root() { echo "$@" >>"$LOG_DIR/commands"; }\n'
                  'install_packages here gone\n')
        result = self.bash(script)
        self.assertEqual(0, result.returncode, result.stderr)
        self.assertIn("Installing Debian packages: gone", result.stdout)
        commands = (self.directory / "commands").read_text().splitlines()
        self.assertIn("update", commands[0])
        self.assertTrue(commands[1].endswith("--no-install-recommends gone"), commands)


class Setup(Script):
    """Which LibTorch `auto` takes, and that it says why."""

    def choose(self, gpu=False):
        result = self.bash(f'has_nvidia_gpu() {{ {"true" if gpu else "false"}; }}\nchoose_torch auto\necho "chose $TORCH"')
        self.assertEqual(0, result.returncode, result.stderr)
        return result.stdout

    def test_a_cpu_wheel(self):
        self.fake_pip("2.13.0+cpu", "sympy")
        output = self.choose()
        self.assertIn("chose pip", output)
        self.assertIn("2.13.0+cpu is a CPU build", output)

    def test_a_cuda_wheel_without_a_gpu(self):
        self.fake_pip("2.13.0", "nvidia-cublas", "nvidia-cudnn-cu13")
        output = self.choose()
        self.assertIn("chose apt", output)
        self.assertIn("would bring 2 CUDA packages", output)

    def test_a_cuda_wheel_with_a_gpu(self):
        self.fake_pip("2.13.0", "nvidia-cublas")
        self.assertIn("chose pip", self.choose(gpu=True))

    def test_a_pip_that_fails(self):
        pip = self.source() / "build/torch-venv/bin/pip"
        pip.parent.mkdir(parents=True)
        pip.write_text("#!/bin/bash\necho 'no network here' >&2\nexit 1\n")
        pip.chmod(0o755)
        output = self.choose()
        self.assertIn("chose apt", output)
        self.assertIn("no network here", output)

    def test_a_path_that_is_none(self):
        result = self.bash("choose_torch /nowhere/torch")
        self.assertEqual(1, result.returncode)
        self.assertIn("/nowhere/torch", result.stderr)


class QuickStart(Script):
    def test_an_unknown_option_is_named(self):
        result = subprocess.run([self.source() / "deploy/quickstart.sh", "--exti"], capture_output=True, text=True)
        self.assertEqual(2, result.returncode)
        self.assertIn("--exti", result.stderr)


if __name__ == "__main__":
    unittest.main()
