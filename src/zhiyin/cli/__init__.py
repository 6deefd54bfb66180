"""The command line: one verb per file."""

from zhiyin.cli.app import main as main
