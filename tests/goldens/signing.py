"""Throw-away keys: of the server's TLS, of the control plane's signer, and of signers that nobody should believe."""

import base64
import subprocess

BEGIN, END = "-----BEGIN PKCS7-----\n", "-----END PKCS7-----\n"
EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
EXTENSIONS = {
    "tls": "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
    "signer": "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n",
}
# An authority for `openssl ca`, the only command that writes a certificate of the past.
AUTHORITY = """[ca]
default_ca=x
[x]
database=index
new_certs_dir=.
serial=serial
default_md=sha256
policy=p
[p]
commonName=supplied
"""


def make_keys(folder):
    """Makes `ca`, `tls`, `signer`, `stranger` (of no authority) and `expired`, each as `.pem` and `.key`."""
    folder.mkdir(parents=True)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    def request(name):
        openssl("req", *EC_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")

    def self_signed(name, *more):
        openssl("req", "-x509", *EC_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30",
                "-subj", f"/CN=longshore test {name}", *more)

    self_signed("ca", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    self_signed("stranger")
    for name, extensions in EXTENSIONS.items():
        request(name)
        (folder / f"{name}.ext").write_text(extensions)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "30", "-out", f"{name}.pem", "-extfile", f"{name}.ext")
    request("expired")
    (folder / "authority.cnf").write_text(AUTHORITY)
    (folder / "index").write_text("")
    (folder / "serial").write_text("1000\n")
    openssl("ca", "-batch", "-config", "authority.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "expired.csr",
            "-out", "expired.pem", "-startdate", "20150101000000Z", "-enddate", "20160101000000Z", "-notext")


def sign(data, folder, name="signer", detached=False):
    """PKCS#7 SignedData in PEM form, with the signer's certificate and, unless detached, the content."""
    command = ["openssl", "smime", "-sign", "-binary", "-outform", "PEM",
               "-signer", folder / f"{name}.pem", "-inkey", folder / f"{name}.key"]
    if not detached:
        command.append("-nodetach")
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()


def envelope(kind, data, folder):
    """The envelope of a deployment specification, the way a case wants it."""
    match kind:
        case "TEXT/JSON":
            return {"Format": "TEXT/JSON", "Payload": data.decode()}
        case "signed":
            text = sign(data, folder)
        case "stranger" | "expired":
            text = sign(data, folder, kind)
        case "detached":
            text = sign(data, folder, detached=True)
        case "garbage":
            text = "this is no PKCS7"
        case "tampered":
            lines = sign(data, folder).splitlines()
            der = base64.b64decode("".join(line for line in lines if not line.startswith("-----")))
            assert b'"golden-group"' in der
            der = der.replace(b'"golden-group"', b'"tampered-grp"')
            text = BEGIN + base64.encodebytes(der).decode() + END
        case _:
            raise ValueError(kind)
    return {"Format": "PKCS7/JSON", "Payload": text}
