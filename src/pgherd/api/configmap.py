"""The ConfigMap form of the operator configuration: every option a flat key, every value a text (api.md 3.2).

A key that is there with an empty value gives the zero value of its type, not the default. Unknown keys are ignored.
Two things are read more kindly than the reference does: a colon inside quotes does not end the key of a map
(quirk Q24), and enumerations with an unknown word act as the reference acts (see :data:`UNKNOWN_WORDS`).
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr, ValidationError

from pgherd.api.faults import faults_of, shown
from pgherd.api.operator_configuration import OperatorConfiguration, Origin
from pgherd.api.options import Option, all_options
from pgherd.api.reading import RawConfiguration, consistency_faults, default_configuration
from pgherd.errors import Fault, ManifestError

TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})

UNKNOWN_WORDS: Mapping[str, str] = {
    "major_version_upgrade_mode": "manual",
    "storage_resize_mode": "pvc",
    "node_readiness_label_merge": "",
}
"""This form does not check the words of these options; an unknown one behaves like this."""

ROLE_KEYS = ("secretname", "userkey", "passwordkey", "rolekey", "defaultuservalue", "defaultrolevalue")


def base_type(annotation: Any) -> Any:
    """``str``, ``int``, ``bool``, ``list``, ``dict``, ``timedelta``, ``Literal``: what a text is decoded to."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return base_type(next(one for one in get_args(annotation) if one is not type(None)))
    return get_origin(annotation) or annotation


def decode_bool(text: str) -> bool:
    """Go's ParseBool; empty is false."""
    if text in TRUE:
        return True
    if text in FALSE or text == "":
        return False
    raise ValueError("write true or false")


def decode_int(text: str) -> int:
    """Decimal, or with prefix 0x, 0o, 0, 0b; empty is 0."""
    match = re.fullmatch(r"([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)", text, re.ASCII)
    if text == "":
        return 0
    if match is None or len(text) > 70:
        raise ValueError("write a whole number")
    digits = re.sub(r"^0(?=[0-7])", "0o", match[2])
    return int(digits, 0) * (-1 if match[1] == "-" else 1)


def decode_list(text: str) -> list[str]:
    """Split at every comma; items are not trimmed."""
    return text.split(",") if text else []


def decode_map(text: str) -> dict[str, str]:
    """Pairs ``key:value`` with commas between, both separators only outside of quotes, which stay in the value."""
    out: dict[str, str] = {}
    for pair in _split(text, ",") if text.strip() else []:
        parts = _split(pair.strip(), ":")
        if len(parts) != 2:
            raise ValueError("write key:value pairs with commas between; quote a value that holds a comma or a colon")
        out[parts[0]] = parts[1]
    return out


def _split(text: str, separator: str) -> list[str]:
    """Split outside of single and double quotes."""
    parts, quote = [""], ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == separator:
            parts.append("")
            continue
        parts[-1] += character
    if quote:
        raise ValueError("a quote is not closed")
    return parts


def _decode_roles(text: str) -> list[dict[str, str]]:
    pairs = decode_map(text)
    entry = {key.strip(): value for key, value in pairs.items() if key.strip() in ROLE_KEYS}
    return [entry] if entry else []


_DECODERS: Mapping[Any, Callable[[str], Any]] = {
    bool: decode_bool,
    int: decode_int,
    list: decode_list,
    dict: decode_map,
    timedelta: lambda text: text or "0s",
    str: str,
    SecretStr: str,
}


def _decode(option: Option, text: str) -> Any:
    """The raw value of one option (notation of the CRD); raises ValueError with the cure."""
    annotation = option.field.annotation
    if option.key == "infrastructure_roles_secrets":
        return _decode_roles(text)
    if option.key == "sidecars":
        if text:
            raise ValueError("containers cannot be written in a ConfigMap; use an OperatorConfiguration")
        return []
    if option.key in UNKNOWN_WORDS:
        words = get_args(annotation)
        return text if text in words else UNKNOWN_WORDS[option.key]
    kind = base_type(annotation)
    if text == "" and not option.field.is_required() and type(None) in get_args(annotation):
        return None
    return text if kind is Literal else _DECODERS[kind](text)


@cache
def keys() -> Mapping[str, Option]:
    """ConfigMap key to option."""
    return {option.key: option for option in all_options().values() if option.defaults.configmap}


def parse_configmap(data: Mapping[str, Any], source: str = "ConfigMap") -> OperatorConfiguration:
    """Read the ``data`` of a ConfigMap; ``source`` names it in messages.

    Raises ManifestError with all faults at once.
    """
    raw = RawConfiguration({}, {})
    faults: list[Fault] = []
    for path, option in all_options().items():
        value: Any = option.defaults.default
        text = data.get(option.key) if option.defaults.configmap else None
        if text is not None:
            raw.origins[path] = Origin.GIVEN
            try:
                if not isinstance(text, str):
                    raise ValueError("every value of a ConfigMap is a string; quote it")
                value = _decode(option, text)
            except ValueError as error:
                faults.append(Fault(f"data.{option.key}", "cannot be read", str(error), shown(text, (option.key,))))
        raw.values.setdefault(option.section, {})[option.key] = value
    config = default_configuration()
    try:
        config = OperatorConfiguration.model_validate(raw.nested())
    except ValidationError as error:
        faults += [_flat(fault) for _, fault in faults_of(error)]
    if not faults:
        faults += consistency_faults(config, "data.") + _limits(config)
    if faults:
        raise ManifestError(source, faults)
    return config.with_origins(raw.origins, source)


def _flat(fault: Fault) -> Fault:
    """A path of the model (``kubernetes.pod_role_label``) as the key of this form."""
    section, _, rest = fault.path.partition(".")
    path = rest if rest and section in OperatorConfiguration.model_fields else fault.path
    return Fault(f"data.{path}", fault.problem, fault.cure, fault.value)


def _limits(config: OperatorConfiguration) -> list[Fault]:
    if 0 < config.max_instances < config.min_instances:
        return [
            Fault(
                "data.min_instances",
                f"is above max_instances ({config.max_instances})",
                "lower it, or raise max_instances",
                str(config.min_instances),
            )
        ]
    return []
