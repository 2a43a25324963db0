# shellcheck shell=bash
# An authority of this run alone: a root, an intermediate, and a certificate of the kind Let's Encrypt issues.

readonly host=scan.example.test

make_certificates() {
  make_key root
  openssl req -x509 -new -key "$work/root.key" -sha256 -days 365 -subj '/CN=Scan root' \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$work/root.pem"
  issue intermediate root 200 '/CN=Scan intermediate' <<'END'
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,digitalSignature,keyCertSign,cRLSign
extendedKeyUsage=serverAuth
END
  issue leaf intermediate 90 "/CN=$host" <<END
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:$host
# Only named, never asked: the scanners stay on this machine.
crlDistributionPoints=URI:http://crl.example.test/1.crl
END
  cat "$work/leaf.pem" "$work/intermediate.pem" >"$work/chain.pem"
}

make_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key" 2>/dev/null; }

# issue NAME ISSUER DAYS SUBJECT: the extensions come from standard input. What both have is added.
issue() {
  local name=$1 issuer=$2 days=$3 subject=$4
  make_key "$name"
  {
    cat
    printf '%s\n' subjectKeyIdentifier=hash authorityKeyIdentifier=keyid
    # Domain validated.
    printf 'certificatePolicies=2.23.140.1.2.1\n'
  } >"$work/$name.cnf"
  openssl req -new -key "$work/$name.key" -subj "$subject" -out "$work/$name.csr"
  openssl x509 -req -in "$work/$name.csr" -CA "$work/$issuer.pem" -CAkey "$work/$issuer.key" -days "$days" -sha256 \
    -extfile "$work/$name.cnf" -out "$work/$name.pem" 2>/dev/null
}
