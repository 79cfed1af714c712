"""Whether a product shows on a guest what its file says that it shows once it is installed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from harness.exit_codes import shown
from harness.guest.registry import query, read_keys
from harness.guest.state import SOFTWARE, questions, read_state
from harness.scenarios.starting import what_is_missing

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.outcome import Outcome
    from harness.guest.state import Hive, State, UninstallEntry
    from harness.products import CommandProof, PathEntry, Product, Proofs, RegistryValue
    from harness.products import UninstallEntry as EntryProof

_TROUBLE = re.compile(r"error|fatal|not found|denied|cannot|failed", re.IGNORECASE)


def missing_proofs(guest: Guest, product: Product, version: str, *, seen: State | None = None) -> list[str]:
    """Say in words what an installed version should show and does not; nothing when it proves itself.

    All but the product's own command is asked in one round trip; ``seen`` is the guest's state where it has just been
    taken, so that its registry need not be asked again. Raises Hung when that command does not end.
    """
    proofs = product.proofs_of(version)
    proofs = proofs.model_copy(update={"uninstall_entry": entry_proof(guest, product, version)})
    files, values = [_is_there(path) for path in proofs.files], [_value_of(proof) for proof in proofs.registry]
    scope = replace(SOFTWARE, hives=tuple(_hives(proofs)))
    listed = questions(scope) if seen is None else []
    variables = ["set"] if proofs.path else []
    asked = [*files, *values, *listed, *variables]
    answers = iter(guest.run_each(asked) if asked else [])
    lacking = [*_files(proofs, list(islice(answers, len(files))))]
    for proof, answer in zip(proofs.registry, islice(answers, len(values)), strict=True):
        lacking += _value(answer, proof)
    gone = bool(lacking)
    if scope.hives:
        state = seen or read_state(scope, list(islice(answers, len(listed))), account=guest.account)
        if proofs.uninstall_entry is not None:
            lacking += _entry(state, proofs.uninstall_entry)
        lacking += _path(state, proofs.path, _variables(answers))
    if proofs.command is not None and not gone:  # without its files a command has nothing to say
        outcome = guest.run(proofs.command.run, deadline=product.deadline or 60.0)
        lacking += _command(outcome, proofs.command, missing=what_is_missing(guest, outcome))
    return lacking


def entry_proof(guest: Guest, product: Product, version: str) -> EntryProof | None:
    """Give the proof of a version's entry in the list of programs, as this guest's Windows Installer can hold it.

    A lab guest's registers every package for the machine, also one that is for a person.
    """
    proof = product.proofs_of(version).uninstall_entry
    if proof is not None and proof.account == "user" and product.kind == "msi" and guest.facts().is_lab:
        return proof.model_copy(update={"account": "machine"})
    return proof


def present_files(guest: Guest, proofs: Proofs) -> list[str]:
    """Name the files of these proofs that are there."""
    if not proofs.files:
        return []
    answers = guest.run_each([_is_there(path) for path in proofs.files])
    return [path for path, answer in zip(proofs.files, answers, strict=True) if "there" in answer.stdout]


def entries_of(state: State, proof: EntryProof) -> list[UninstallEntry]:
    """Find the entries in Windows' list of programs that carry a product's name."""
    hive = "HKEY_CURRENT_USER" if proof.account == "user" else "HKEY_LOCAL_MACHINE"
    return [
        entry
        for key, entry in state.uninstall.items()
        if key.upper().startswith(hive) and entry.name == proof.display_name
    ]


def own_words(outcome: Outcome) -> str:
    """Pick the line in which a command says what is wrong, or nothing."""
    for stream in (outcome.stderr, outcome.stdout):
        lines = [line.strip() for line in stream.splitlines() if line.strip()]
        if lines:
            return next((line for line in lines if _TROUBLE.search(line)), lines[0])[:300]
    return ""


def _hives(proofs: Proofs) -> list[Hive]:
    """Name the parts of the registry in which something of the product must show."""
    named: set[Hive] = {"machine" if proof.scope == "system" else "user" for proof in proofs.path}
    if proofs.uninstall_entry is not None:
        named.add(proofs.uninstall_entry.account)
    return sorted(named)


def _is_there(path: str) -> str:
    return f'if exist "{path}" echo there'


def _value_of(proof: RegistryValue) -> str:
    return query(proof.key, f'/v "{proof.value}"' if proof.value else "/ve")


def _files(proofs: Proofs, answers: Sequence[Outcome]) -> Iterator[str]:
    gone = [path for path, answer in zip(proofs.files, answers, strict=True) if "there" not in answer.stdout]
    if gone:
        more = f" and {len(gone) - 2} more files" if len(gone) > 2 else ""
        yield f"{', '.join(gone[:2])}{more} {'is' if len(gone) == 1 else 'are'} missing"


def _value(answer: Outcome, proof: RegistryValue) -> Iterator[str]:
    name = f"{proof.key}\\{proof.value}" if proof.value else proof.key
    values = next((values for values in read_keys(answer.stdout).values() if values), {})
    # the default value is printed under a name in the guest's language: it is the only one that was asked for
    value = values.get(proof.value.lower()) if proof.value else next(iter(values.values()), None)
    if not answer.ok or value is None:
        yield f"the registry value {name} is missing"
    elif proof.equals is not None and proof.equals not in (value.number, value.text):
        yield f"the registry value {name} is {value.text!r}, not {str(proof.equals)!r}"


def _entry(state: State, proof: EntryProof) -> Iterator[str]:
    found = entries_of(state, proof)
    other: Literal["machine", "user"] = "user" if proof.account == "machine" else "machine"
    if not found and entries_of(state, proof.model_copy(update={"account": other})):
        where = {"machine": "the machine", "user": "this account only"}
        yield f"{proof.display_name!r} is registered for {where[other]}, not for {where[proof.account]}"
    elif not found:
        yield f"{proof.display_name!r} is not registered in Windows' list of programs"
    elif len(found) > 1:
        yield f"{proof.display_name!r} is registered {len(found)} times ({', '.join(entry.version for entry in found)})"
    elif proof.display_version is not None and found[0].version != proof.display_version:
        yield f"{proof.display_name!r} is registered with version {found[0].version!r}, not {proof.display_version!r}"
    elif proof.publisher is not None and found[0].values.get("publisher") != proof.publisher:
        yield f"{proof.display_name!r} is registered with publisher {found[0].values.get('publisher')!r}"


def _path(state: State, proofs: tuple[PathEntry, ...], variables: Mapping[str, str]) -> Iterator[str]:
    for proof in proofs:
        wanted = _folder(proof.folder, variables)
        times = sum(_folder(entry, variables) == wanted for entry in _entries(state, proof))
        if times == 0:
            yield f"{proof.folder} is not in the {proof.scope} PATH"
        elif times > 1:
            yield f"{proof.folder} is {times} times in the {proof.scope} PATH"


def _entries(state: State, proof: PathEntry) -> tuple[str, ...]:
    return (state.system_path if proof.scope == "system" else state.user_path).entries


def _variables(answers: Iterable[Outcome]) -> dict[str, str]:
    pairs = (line.partition("=") for answer in answers for line in answer.stdout.splitlines())
    return {name.casefold(): value for name, _, value in pairs if name}


def _folder(text: str, variables: Mapping[str, str]) -> str:
    """Make two ways to write a folder comparable."""
    expanded = re.sub(r"%([^%]+)%", lambda name: variables.get(name[1].casefold(), name[0]), text)
    return expanded.strip('" ').rstrip("\\").casefold()


def _command(outcome: Outcome, proof: CommandProof, *, missing: str) -> Iterator[str]:
    if outcome.exit_code != proof.exit_code:
        words = missing or own_words(outcome)
        yield f"{proof.run} ended with {shown(outcome.exit_code)}" + (f": {words}" if words else "")
    elif not proof.holds(outcome.text):
        yield f"{proof.run} printed {outcome.text.strip()[:200]!r}, not {proof.expected}"
