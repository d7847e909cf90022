"""The certificate of the listener, made at the first start, and the bundle clients trust it by.

A certification authority signs one server certificate and its key is forgotten at once: whoever trusts the
bundle trusts this one server more than before, and nobody else. The bundle holds the system's certificates
too, since a program that uses it may have to reach other servers.

Source: the client's Go half reads `SSL_CERT_FILE`, its Python half `REQUESTS_CA_BUNDLE`.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from controller.wandb_api.keys import write_private

VALID_DAYS = 3650
RENEW_DAYS = 30
"""A certificate that ends sooner is made anew at a start."""

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Files(Struct, frozen=True, kw_only=True):
    """Where the parts lie, in one directory of ours (0700)."""

    directory: Path

    @property
    def key(self) -> Path:
        """The server's private key (0600)."""
        return self.directory / "server.key"

    @property
    def chain(self) -> Path:
        """The server's certificate and its authority's."""
        return self.directory / "server.pem"

    @property
    def bundle(self) -> Path:
        """The system's certificates and our authority's: for `SSL_CERT_FILE`."""
        return self.directory / "bundle.pem"


def server_context(directory: Path, *hosts: str) -> ssl.SSLContext:
    """Return the context to listen with; certificate, key and bundle are made if need be."""
    files = Files(directory=directory)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = names_for(*hosts)
    if not _is_good(files, names):
        _make(files, names)
    _write_bundle(files)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.chain, files.key)
    return context


def names_for(*hosts: str) -> tuple[str, ...]:
    """Return every name and address the server may be called by."""
    return tuple(dict.fromkeys((*hosts, "localhost", "127.0.0.1", "::1", socket.gethostname())))


def authority_of(directory: Path) -> str:
    """Return the certificate (PEM) of the authority that signed the server's, and nothing else."""
    return _last_certificate(Files(directory=directory).chain.read_text("ascii"))


def _last_certificate(chain: str) -> str:
    _, begin, last = chain.rpartition("-----BEGIN CERTIFICATE-----")
    return begin + last


def _is_good(files: Files, names: tuple[str, ...]) -> bool:
    """Say whether the certificate can be used as it is."""
    try:
        certificate = x509.load_pem_x509_certificate(files.chain.read_bytes())
        found = files.key.stat()
    except (OSError, ValueError):
        return False
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        return False
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    called = {str(name.value) for name in known}
    return left.days >= RENEW_DAYS and called >= set(names)


def _make(files: Files, names: tuple[str, ...]) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    server_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    server = _server(authority, authority_key, server_key, names)
    pem = serialization.Encoding.PEM
    text = server_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    write_private(files.key, text)
    write_private(files.chain, (server.public_bytes(pem) + authority.public_bytes(pem)).decode())


def _builder(name: str, issuer: str) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
    )


_AUTHORITY = "tui-sweeps authority"


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    public = key.public_key()
    return (
        _builder(_AUTHORITY, _AUTHORITY)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
) -> x509.Certificate:
    public = key.public_key()
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder("tui-sweeps controller", _AUTHORITY)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _write_bundle(files: Files) -> None:
    """Bring the bundle up to date: the system's certificates change, too."""
    text = _system_certificates() + "\n" + authority_of(files.directory)
    if not files.bundle.exists() or files.bundle.read_text("utf-8", "replace") != text:
        write_private(files.bundle, text)


def _system_certificates() -> str:
    paths = ssl.get_default_verify_paths()
    given = os.environ.get("SSL_CERT_FILE")
    for candidate in (given, paths.cafile, paths.openssl_cafile, *_BUNDLES):
        if candidate and Path(candidate).name != "bundle.pem" and Path(candidate).is_file():
            return Path(candidate).read_text("utf-8", "replace")
    return ""
