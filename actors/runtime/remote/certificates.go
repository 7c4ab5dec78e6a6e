package remote

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// Lifetime is how long certificates are good.
const Lifetime = 90 * 24 * time.Hour

// skew is how far the clocks of two machines may be apart.
const skew = time.Hour

// NewIdentities makes an authority and, of it, an identity for each role, as
// texts for ReadIdentity. The key of the authority is not kept: there can be no
// third.
func NewIdentities(now time.Time) (coordinator, worker []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	authority := template("kouzui lab", now)
	authority.IsCA, authority.BasicConstraintsValid, authority.MaxPathLenZero = true, true, true
	authority.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	if coordinator, err = newIdentity(Coordinator, now, authority, key, der); err != nil {
		return nil, nil, err
	}
	worker, err = newIdentity(Worker, now, authority, key, der)
	return coordinator, worker, err
}

func newIdentity(role Role, now time.Time, authority *x509.Certificate, signing *ecdsa.PrivateKey, authorityDER []byte) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := template(string(role), now)
	leaf.DNSNames = []string{string(role)}
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} // each side listens and connects
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), signing)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, b := range []pem.Block{
		{Type: certificateBlock, Bytes: der},
		{Type: certificateBlock, Bytes: authorityDER},
		{Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := pem.Encode(&text, &b); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

func template(name string, now time.Time) *x509.Certificate {
	const serialBits = 127
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		panic(err) // the system has no randomness
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-skew),
		NotAfter:     now.Add(Lifetime),
	}
}
