"""The README says what the programs say: configuration, commands, options, alarms, targets."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(TOP, os.environ.get("BIN", "build/bin"))


def said(*command):
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout


def page(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


class Readme(unittest.TestCase):
    def setUp(self):
        self.text = page("README.md")

    def named(self, things, where=None):
        self.assertGreater(len(things), 2)
        where = where or self.text
        missing = [t for t in things if not re.search(rf"(?<![\w-]){re.escape(t)}(?![\w-])", where)]
        self.assertEqual(missing, [])

    def test_configuration_tables_are_what_the_programs_print(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "README.md")
            shutil.copy(os.path.join(TOP, "README.md"), copy)
            subprocess.run([os.path.join(TOP, "scripts", "config-table"), copy], check=True,
                           env={**os.environ, "BIN": BIN})
            with open(copy, encoding="utf-8") as fresh:
                self.assertEqual(self.text, fresh.read(), "run scripts/config-table")
        for program in ("genctld", "monitord"):
            keys = re.findall(r"^\s*(\w+) = [^{]", said(os.path.join(BIN, program),
                                                         "--print-config"), re.MULTILINE)
            self.named(keys)

    def test_every_make_target_is_named(self):
        targets = re.findall(r"^  (make \w+)", said("make", "-s", "help"), re.MULTILINE)
        self.named([t for t in targets if t != "make all"])

    def test_every_gencli_command_and_option_is_named(self):
        text = said(os.path.join(BIN, "gencli"), "--help")
        self.named([f"gencli {word}" for word in re.findall(r"^  (\w+)", text, re.MULTILINE)])
        self.named(set(re.findall(r"--[a-z-]+", text)))

    def test_every_option_of_the_daemons_is_named(self):
        text = said(os.path.join(BIN, "genctld"), "--help")
        text += said(os.path.join(BIN, "monitord"), "--help")
        self.named(set(re.findall(r"--[a-z-]+", text)))

    def test_every_alarm_is_explained(self):
        alarms = page("doc", "failures.md")
        self.named(re.findall(r"ROW\(([A-Z]\w+),", page("node-genctl", "alarm.c")), alarms)
        self.named(re.findall(r'\{ ALARM_\w+, "(\w+)"', page("node-monitor", "reason.c")), alarms)

    def test_links_lead_to_files_of_the_tree(self):
        for name in ["README.md"] + [f"doc/{p}" for p in os.listdir(os.path.join(TOP, "doc"))]:
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page(name)):
                at = os.path.join(TOP, os.path.dirname(name), link)
                self.assertTrue(os.path.exists(at), f"{name}: {link}")


if __name__ == "__main__":
    unittest.main()
