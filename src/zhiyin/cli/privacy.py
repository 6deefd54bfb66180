"""`zhiyin privacy`: what is encrypted, and what was promised."""

import os
from pathlib import Path
from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, ConfigPath
from zhiyin.cli.printing import say
from zhiyin.errors import ArtifactError, DataError

privacy = typer.Typer(help="Encrypt with a new key, and check receipts of erasure.", no_args_is_help=True)

LARGEST = 2**20  # bytes of a receipt


@privacy.command()
def renew(config: ConfigPath = CONFIG) -> None:
    """Encrypt all that is stored with the first key of the ring; afterwards older keys may go."""
    import asyncio

    from zhiyin.cli.project import Project
    from zhiyin.serving.renewal import renew as renewed
    from zhiyin.serving.store import Store
    from zhiyin.serving.vault import Vault

    project = Project.read(config)
    vault = Vault.of(project.config.privacy, os.environ)

    async def run() -> int:
        async with Store.of(project.config.serve.store, project.root, vault=vault) as store:
            return await renewed(store)

    current = vault.keyring.current if vault.keyring else "none: privacy.encrypt is empty"
    say(f"{asyncio.run(run()):,} rows are encrypted anew; the key is {current}")


@privacy.command()
def receipt(
    file: Annotated[Path, typer.Argument(help="The answer to DELETE /v1/users/ID, as a file.", metavar="FILE")],
    config: ConfigPath = CONFIG,
) -> None:
    """Check that a receipt of erasure is of this shop, and unchanged."""
    import json

    from zhiyin.cli.project import Project
    from zhiyin.registry.signing import Signer, is_genuine

    try:
        with file.open("rb") as opened:
            given = json.loads(opened.read(LARGEST))
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}): check the path") from None
    except (ValueError, RecursionError):
        raise DataError(f"{file} is no receipt: it must be the JSON that DELETE /v1/users/ID answered") from None
    project = Project.read(config)
    signer = Signer.of(project.root / project.config.privacy.signing_key)
    if not isinstance(given, dict) or not is_genuine(given, signer.public_key):
        raise ArtifactError(f"{file} was not signed by this shop, or has been changed since")
    content = given["content"]
    say(f"genuine: {content.get('user_id')} was erased on {content.get('when')}")
