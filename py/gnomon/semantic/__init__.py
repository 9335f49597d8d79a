"""Room 1: dbt's semantic_manifest.json, read into a validated, immutable model."""

from gnomon.semantic.manifest import digest_manifest, parse_manifest, read_manifest
from gnomon.semantic.model import Manifest

__all__ = ["Manifest", "digest_manifest", "parse_manifest", "read_manifest"]
