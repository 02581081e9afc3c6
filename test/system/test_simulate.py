"""The whole site in one process under virtual time: a year of weeks with faults of every kind.

The seeds are fixed here, so that a failure repeats; `make simulate` runs others. What a seed
has found once stays in test/simulate/seeds.
"""
import os
import re
import subprocess
import unittest

PROGRAM = os.path.join(os.environ["B"], "test/simulate/simulate")
SEEDS = os.path.join(os.path.dirname(__file__), "../simulate/seeds")
YEAR_SEED = 2000


def simulate(*words, limit_s=400):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=limit_s,
                          check=False)
    return done.returncode, done.stdout


def kept():
    with open(SEEDS, encoding="utf-8") as lines:
        return [line.split()[0] for line in lines if line[:1].isdigit()]


@unittest.skipUnless(os.path.exists(PROGRAM), "the simulation is not built with sanitizers")
class Simulate(unittest.TestCase):
    def test_a_site_year_breaks_no_rule_and_meets_every_fault(self):
        rc, text = simulate("--seed", str(YEAR_SEED), "--years", "1")
        self.assertEqual(rc, 0, text[-8000:])
        self.assertRegex(text, r"52 site-weeks .* faults injected")
        faults = int(re.search(r"(\d+) faults injected", text).group(1))
        self.assertGreater(faults, 1000)

    def test_one_seed_is_one_trace(self):
        first, second = (re.search(r"trace (\w+)", simulate("--seed", "5")[1]).group(1)
                         for _ in range(2))
        other = re.search(r"trace (\w+)", simulate("--seed", "6")[1]).group(1)
        self.assertEqual(first, second)
        self.assertNotEqual(first, other)

    def test_every_seed_that_found_something_holds(self):
        for seed in kept():
            with self.subTest(seed=seed):
                rc, text = simulate("--seed", seed)
                self.assertEqual(rc, 0, text[-8000:])

    def test_single_failing_operations_break_nothing(self):
        for kind in ("alloc", "disk", "board", "link"):
            with self.subTest(kind=kind):
                rc, text = simulate("--fail", kind, "--quick")
                self.assertEqual(rc, 0, text[-8000:])


if __name__ == "__main__":
    unittest.main()
