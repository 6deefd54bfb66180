import subprocess
import sys


def test_popularity_and_its_floors_need_no_compiler():
    code = "import sys, zhiyin, zhiyin.models.popularity; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
