// Digests, ciphers, signatures and key agreement where they are deterministic, random numbers, and TLS over a pipe and over a socket.
package main

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"hash"
	"io"
	"math/big"
	"net"
	"os"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// stream is a reader of bytes that are the same on every run.
type stream struct{ cipher cipher.Stream }

func newStream(key string) stream {
	sum := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(sum[:])
	check(err)
	return stream{cipher.NewCTR(block, make([]byte, 16))}
}

func (s stream) Read(bytes []byte) (int, error) {
	for i := range bytes {
		bytes[i] = 0
	}
	s.cipher.XORKeyStream(bytes, bytes)
	return len(bytes), nil
}

func prime(source io.Reader, bits int) *big.Int {
	bytes := make([]byte, bits/8)
	io.ReadFull(source, bytes)
	bytes[0] |= 0xc0
	n := new(big.Int).SetBytes(bytes)
	n.SetBit(n, 0, 1)
	for !n.ProbablyPrime(20) {
		n.Add(n, big.NewInt(2))
	}
	return n
}

func rsaKey() *rsa.PrivateKey {
	source := newStream("rsa")
	p, q, one := prime(source, 512), prime(source, 512), big.NewInt(1)
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, Primes: []*big.Int{p, q}}
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key.D = new(big.Int).ModInverse(big.NewInt(65537), phi)
	key.Precompute()
	check(key.Validate())
	return key
}

func certificate(key crypto.Signer) tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "carillon"}, DNSNames: []string{"tower"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	bytes, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{bytes}, PrivateKey: key}
}

// talk sends data to a server, over the two ends given, and gets its digest back.
func talk(name string, near, far net.Conn, identity tls.Certificate, version uint16, data []byte) {
	root, err := x509.ParseCertificate(identity.Certificate[0])
	check(err)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	ended := make(chan error, 1)
	go func() {
		server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{identity}, MaxVersion: version})
		digest := sha256.New()
		_, err := io.CopyN(digest, server, int64(len(data)))
		if err == nil {
			_, err = server.Write(digest.Sum(nil))
		}
		server.Close()
		ended <- err
	}()
	client := tls.Client(near, &tls.Config{RootCAs: pool, ServerName: "tower"})
	check(client.Handshake())
	_, err = client.Write(data)
	check(err)
	answer, err := io.ReadAll(client)
	check(err)
	sum := sha256.Sum256(data)
	fmt.Printf("tls over %s: version %x, right %v\n", name, client.ConnectionState().Version, bytes.Equal(answer, sum[:]))
	check(<-ended)
	client.Close()
	_, err = client.Write(data)
	fmt.Println("after the end:", err)
}

func main() {
	data := make([]byte, 1<<20)
	newStream("data").Read(data)
	for _, each := range []struct {
		name string
		hash hash.Hash
	}{{"md5", md5.New()}, {"sha1", sha1.New()}, {"sha256", sha256.New()}, {"sha224", sha256.New224()}, {"sha512", sha512.New()}, {"sha384", sha512.New384()},
		{"hmac", hmac.New(sha256.New, []byte("key"))}} {
		each.hash.Write(data)
		fmt.Printf("%s %x\n", each.name, each.hash.Sum(nil))
	}

	block, err := aes.NewCipher(data[:32])
	check(err)
	out := make([]byte, len(data))
	cipher.NewCBCEncrypter(block, data[:16]).CryptBlocks(out, data)
	fmt.Printf("aes-cbc %x\n", sha256.Sum256(out))
	cipher.NewCFBEncrypter(block, data[:16]).XORKeyStream(out, data)
	fmt.Printf("aes-cfb %x\n", sha256.Sum256(out))
	sealer, err := cipher.NewGCM(block)
	check(err)
	sealed := sealer.Seal(nil, data[:12], data, data[:100])
	fmt.Printf("aes-gcm %x\n", sha256.Sum256(sealed))
	opened, err := sealer.Open(nil, data[:12], sealed, data[:100])
	fmt.Println("opened", bytes.Equal(opened, data), err)
	sealed[5] ^= 1
	_, err = sealer.Open(nil, data[:12], sealed, data[:100])
	fmt.Println("changed:", err)
	four, err := rc4.NewCipher(data[:16])
	check(err)
	four.XORKeyStream(out, data)
	fmt.Printf("rc4 %x\n", sha256.Sum256(out))

	sum := sha256.Sum256(data)
	key := rsaKey()
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	check(err)
	fmt.Printf("rsa %x %v\n", signature, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature))
	signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], nil)
	check(err)
	fmt.Println("pss", rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, sum[:], signature, nil))
	secret, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, []byte("hidden"), nil)
	check(err)
	plain, err := rsa.DecryptOAEP(sha256.New(), rand.Reader, key, secret, nil)
	fmt.Printf("oaep %s %v\n", plain, err)
	edwards := ed25519.NewKeyFromSeed(data[:32])
	fmt.Printf("ed25519 %x\n", ed25519.Sign(edwards, data))
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384()} {
		a, ax, ay, err := elliptic.GenerateKey(curve, newStream("a"))
		check(err)
		b, bx, by, err := elliptic.GenerateKey(curve, newStream("b"))
		check(err)
		left, _ := curve.ScalarMult(bx, by, a)
		right, _ := curve.ScalarMult(ax, ay, b)
		fmt.Printf("%s %x %v\n", curve.Params().Name, left, left.Cmp(right) == 0)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	signature, err = ecdsa.SignASN1(rand.Reader, signer, sum[:])
	check(err)
	fmt.Println("ecdsa", ecdsa.VerifyASN1(&signer.PublicKey, sum[:], signature), ecdsa.VerifyASN1(&signer.PublicKey, data[:32], signature))
	seen := map[string]bool{}
	for i := 0; i < 1000; i++ {
		word := make([]byte, 16)
		_, err := rand.Read(word)
		check(err)
		seen[string(word)] = true
	}
	fmt.Println("random words", len(seen))

	near, far := net.Pipe()
	talk("a pipe", near, far, certificate(signer), tls.VersionTLS13, data)
	listener, err := net.Listen("unix", "socket")
	check(err)
	near, err = net.Dial("unix", "socket")
	check(err)
	far, err = listener.Accept()
	check(err)
	talk("a socket", near, far, certificate(key), tls.VersionTLS12, data)
}
