"""An authority of our own, and the certificate by which clients know Trino: made at its start, in the state folder.

Clients are given the authority's certificate, which outlives those that it signs. Its key never leaves the folder.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lake.errors import ServiceError

AUTHORITY, AUTHORITY_KEY, SERVER = "ca.pem", "ca.key", "server.pem"
"""Files: the authority's certificate, its key, and the server's key with its certificate."""

AUTHORITY_DAYS, SERVER_DAYS = 3650, 397
RENEWED_DAYS = 60
"""How long before its end a certificate is made anew."""


def ensure(folder: Path, names: Iterable[str], renews_authority: bool = True) -> None:
    """Make what is missing, nears its end, or is of other names; the rest stays as it is.

    Args:
        names: host names and IP addresses by which clients reach the server.
        renews_authority: whether an authority that nears its end is made anew too; a server that runs trusts the one
            that it was started with.

    Raises:
        ServiceError: a file that is there is none that was made here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        authority, key = _authority(folder, renews_authority)
        if not _is_good(folder / SERVER, authority, sorted(set(names))):
            _sign(folder / SERVER, sorted(set(names)), authority, key)
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise ServiceError(
            f"a certificate or key in {folder} cannot be read: {error}",
            f"remove {AUTHORITY}, {AUTHORITY_KEY} and {SERVER} there; `lake up` makes new ones, and clients need the "
            f"new {AUTHORITY}",
        ) from error


def _authority(folder: Path, renews: bool) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    file, key_file = folder / AUTHORITY, folder / AUTHORITY_KEY
    if file.exists() and key_file.exists():
        found = x509.load_pem_x509_certificate(file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != found.public_key():
            raise ValueError(f"{key_file} is not the key of {file}")
        if not renews or _lasts(found, SERVER_DAYS):
            return found, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Shoplake's own authority")])
    made = (
        _certificate(name, name, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, _pem(key))
    write_private(file, made.public_bytes(serialization.Encoding.PEM), 0o644)
    return made, key


def _sign(file: Path, names: list[str], authority: x509.Certificate, by: ec.EllipticCurvePrivateKey) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Trino of Shoplake")])
    made = (
        _certificate(subject, authority.subject, key.public_key(), SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_named(name) for name in names]), critical=False)
        .sign(by, hashes.SHA256())
    )
    write_private(file, _pem(key) + made.public_bytes(serialization.Encoding.PEM))


def _is_good(file: Path, authority: x509.Certificate, names: list[str]) -> bool:
    if not file.exists():
        return False
    found = x509.load_pem_x509_certificate(file.read_bytes())
    told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        found.verify_directly_issued_by(authority)
    except Exception:  # of an authority that is gone: whichever way the signature does not fit
        return False
    return _lasts(found, RENEWED_DAYS) and list(told) == [_named(name) for name in names]


def _lasts(certificate: x509.Certificate, days: int) -> bool:
    return certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=days)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clients' clocks may be behind
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(**uses: bool) -> x509.KeyUsage:
    kinds = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**(dict.fromkeys(kinds, False) | uses))


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())


def write_private(file: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file that only its owner may read, unless ``mode`` says otherwise; it is complete at every moment."""
    staging = file.with_name(f"{file.name}.new")
    staging.unlink(missing_ok=True)
    with open(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(data)
    staging.chmod(mode)
    staging.replace(file)
