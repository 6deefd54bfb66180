"""The benchmarks are scripts beside the package: they are imported from the root of the clone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
