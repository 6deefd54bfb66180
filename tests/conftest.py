"""The worlds beside the tests can be imported by every one of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
