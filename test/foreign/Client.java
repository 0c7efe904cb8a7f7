import java.math.BigInteger;
import java.net.InetAddress;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.Signature;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Collections;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.KeyGenerator;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Java's own PKCS #11 provider on a token: what it makes there, Java's other providers check.
 * usage: java Client.java CONFIGURATION PIN ALIAS; one line of JSON for each check.
 */
public final class Client {
  private static final byte[] MESSAGE = "signed by Java".getBytes();
  private static final PSSParameterSpec PSS =
      new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);

  private static Provider token;

  private interface Check {
    void run() throws Exception;
  }

  private static void check(String name, Check check) throws Exception {
    try {
      check.run();
    } catch (Throwable failure) {
      throw new IllegalStateException(name, failure);
    }
    System.out.println("{\"" + name + "\": true}");
  }

  private static void demand(boolean condition, String what) {
    if (!condition) throw new IllegalStateException(what);
  }

  private static KeyPair generate(String algorithm, AlgorithmParameterSpec size) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm, token);
    generator.initialize(size);
    return generator.generateKeyPair();
  }

  private static SecretKey aesKey(int bits) throws Exception {
    KeyGenerator generator = KeyGenerator.getInstance("AES", token);
    generator.init(bits);
    return generator.generateKey();
  }

  /** The same public key, outside the token. */
  private static PublicKey outside(PublicKey key, String provider) throws Exception {
    KeyFactory factory = KeyFactory.getInstance(key.getAlgorithm(), provider);
    return factory.generatePublic(new X509EncodedKeySpec(key.getEncoded()));
  }

  private static boolean verifies(Signature verifier, PublicKey key, byte[] message, byte[] signature)
      throws Exception {
    verifier.initVerify(key);
    verifier.update(message);
    return verifier.verify(signature);
  }

  /** The token signs; the token and the other provider verify, and refuse another message. */
  private static void sign(String algorithm, KeyPair pair, String other, PSSParameterSpec parameters)
      throws Exception {
    Signature signer = Signature.getInstance(algorithm, token);
    Signature verifier = Signature.getInstance(algorithm, other);
    if (parameters != null) signer.setParameter(parameters);
    if (parameters != null) verifier.setParameter(parameters);
    signer.initSign(pair.getPrivate());
    signer.update(MESSAGE, 0, 5);
    signer.update(MESSAGE, 5, MESSAGE.length - 5);
    byte[] signature = signer.sign();
    demand(verifies(signer, pair.getPublic(), MESSAGE, signature), "the token refuses it");
    demand(verifies(verifier, outside(pair.getPublic(), other), MESSAGE, signature), other + " refuses it");
    demand(!verifies(signer, pair.getPublic(), new byte[] {1}, signature), "another message is accepted");
  }

  private static byte[] crypt(int mode, String transformation, Object provider, Key key,
      AlgorithmParameterSpec parameters, byte[] input) throws Exception {
    Cipher cipher = provider instanceof Provider
        ? Cipher.getInstance(transformation, (Provider) provider)
        : Cipher.getInstance(transformation, (String) provider);
    cipher.init(mode, key, parameters);
    if (parameters instanceof GCMParameterSpec) cipher.updateAAD(new byte[] {1, 2, 3});
    return cipher.doFinal(input);
  }

  /** Each side decrypts what the other encrypted, with a key that both know. */
  private static void encrypt(String transformation, AlgorithmParameterSpec[] parameters, int length)
      throws Exception {
    Key key = new SecretKeySpec(Arrays.copyOf(MESSAGE, 32), "AES");
    byte[] data = new byte[length];
    new SecureRandom().nextBytes(data);
    byte[] here = crypt(Cipher.ENCRYPT_MODE, transformation, token, key, parameters[0], data);
    byte[] there = crypt(Cipher.ENCRYPT_MODE, transformation, "SunJCE", key, parameters[1], data);
    demand(!Arrays.equals(here, data), "it is not encrypted");
    byte[] backThere = crypt(Cipher.DECRYPT_MODE, transformation, "SunJCE", key, parameters[0], here);
    byte[] backHere = crypt(Cipher.DECRYPT_MODE, transformation, token, key, parameters[1], there);
    demand(Arrays.equals(backThere, data), "SunJCE decrypts something else");
    demand(Arrays.equals(backHere, data), "the token decrypts something else");
  }

  private static AlgorithmParameterSpec[] gcm() {
    return new AlgorithmParameterSpec[] {
      new GCMParameterSpec(128, new byte[12]), new GCMParameterSpec(128, Arrays.copyOf(MESSAGE, 12))
    };
  }

  private static AlgorithmParameterSpec[] iv() {
    return new AlgorithmParameterSpec[] {
      new IvParameterSpec(new byte[16]), new IvParameterSpec(Arrays.copyOf(MESSAGE, 16))
    };
  }

  private static void forgedGcm() throws Exception {
    SecretKey key = aesKey(256);
    GCMParameterSpec parameters = new GCMParameterSpec(128, new byte[12]);
    byte[] encrypted = crypt(Cipher.ENCRYPT_MODE, "AES/GCM/NoPadding", token, key, parameters, MESSAGE);
    encrypted[0] ^= 1;
    try {
      crypt(Cipher.DECRYPT_MODE, "AES/GCM/NoPadding", token, key, parameters, encrypted);
    } catch (AEADBadTagException expected) {
      return;
    }
    throw new IllegalStateException("a forged message is decrypted");
  }

  private static void mac(String algorithm) throws Exception {
    Key key = new SecretKeySpec(Arrays.copyOf(MESSAGE, 32), algorithm);
    Mac here = Mac.getInstance(algorithm, token);
    Mac there = Mac.getInstance(algorithm, "SunJCE");
    here.init(key);
    there.init(key);
    demand(Arrays.equals(here.doFinal(MESSAGE), there.doFinal(MESSAGE)), "SunJCE makes another");
    demand(here.doFinal(MESSAGE).length == here.getMacLength(), "a second one fails");
  }

  private static byte[] agree(Object provider, PrivateKey own, PublicKey peer) throws Exception {
    KeyAgreement agreement = provider instanceof Provider
        ? KeyAgreement.getInstance("ECDH", (Provider) provider)
        : KeyAgreement.getInstance("ECDH", (String) provider);
    agreement.init(own);
    agreement.doPhase(peer, true);
    return agreement.generateSecret();
  }

  private static void agreement(KeyPair pair) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "SunEC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    KeyPair other = generator.generateKeyPair();
    byte[] here = agree(token, pair.getPrivate(), other.getPublic());
    byte[] there = agree("SunEC", other.getPrivate(), outside(pair.getPublic(), "SunEC"));
    demand(Arrays.equals(here, there), "the two sides differ");
  }

  private static void digest(String algorithm) throws Exception {
    MessageDigest here = MessageDigest.getInstance(algorithm, token);
    here.update(MESSAGE, 0, 5);
    here.update(MESSAGE, 5, MESSAGE.length - 5);
    byte[] there = MessageDigest.getInstance(algorithm, "SUN").digest(MESSAGE);
    demand(Arrays.equals(here.digest(), there), "SUN makes another");
  }

  private static void rsaEncryption(KeyPair pair) throws Exception {
    String transformation = "RSA/ECB/PKCS1Padding";
    PublicKey outside = outside(pair.getPublic(), "SunRsaSign");
    for (Object provider : new Object[] {token, "SunJCE"}) {
      Key key = provider == token ? pair.getPublic() : outside;
      byte[] encrypted = crypt(Cipher.ENCRYPT_MODE, transformation, provider, key, null, MESSAGE);
      byte[] back = crypt(Cipher.DECRYPT_MODE, transformation, token, pair.getPrivate(), null, encrypted);
      demand(Arrays.equals(back, MESSAGE), "it decrypts something else");
    }
  }

  private static void wrapping(KeyPair pair) throws Exception {
    Cipher cipher = Cipher.getInstance("RSA/ECB/PKCS1Padding", token);
    SecretKey key = new SecretKeySpec(Arrays.copyOf(MESSAGE, 32), "AES");
    cipher.init(Cipher.WRAP_MODE, pair.getPublic());
    byte[] wrapped = cipher.wrap(key);
    cipher.init(Cipher.UNWRAP_MODE, pair.getPrivate());
    Key unwrapped = cipher.unwrap(wrapped, "AES", Cipher.SECRET_KEY);
    IvParameterSpec iv = new IvParameterSpec(new byte[16]);
    byte[] here = crypt(Cipher.ENCRYPT_MODE, "AES/CBC/PKCS5Padding", token, unwrapped, iv, MESSAGE);
    byte[] there = crypt(Cipher.ENCRYPT_MODE, "AES/CBC/PKCS5Padding", "SunJCE", key, iv, MESSAGE);
    demand(Arrays.equals(here, there), "another key comes out");
  }

  private static void hiddenKeys(KeyPair pair) {
    demand(pair.getPrivate().getEncoded() == null, "the private key can be read");
  }

  private static KeyStore open(char[] pin) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS11", token);
    store.load(null, pin);
    return store;
  }

  /** A secret key, stored under a name and found again by a store opened anew. */
  private static void keyStore(char[] pin, String alias) throws Exception {
    KeyStore store = open(pin);
    SecretKey key = aesKey(256);
    IvParameterSpec iv = new IvParameterSpec(new byte[16]);
    byte[] before = crypt(Cipher.ENCRYPT_MODE, "AES/CBC/NoPadding", token, key, iv, new byte[16]);
    store.setKeyEntry("java-aes", key, null, null);

    KeyStore again = open(pin);
    Key found = again.getKey("java-aes", null);
    byte[] after = crypt(Cipher.ENCRYPT_MODE, "AES/CBC/NoPadding", token, found, iv, new byte[16]);
    demand(Arrays.equals(before, after), "another key is found");
    demand(again.getKey(alias, null) instanceof PrivateKey, "there is no private key " + alias);
    again.deleteEntry("java-aes");
    demand(!open(pin).containsAlias("java-aes"), "the deleted key is found");
  }

  /** TLS 1.3 on loopback: the server signs with a key of the token, the client trusts its certificate. */
  private static void tls(char[] pin) throws Exception {
    Security.addProvider(token);
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(open(pin), pin);
    SSLContext server = SSLContext.getInstance("TLSv1.3");
    server.init(keys.getKeyManagers(), null, null);
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    KeyStore store = open(pin);
    for (String alias : Collections.list(store.aliases()))
      trusted.setCertificateEntry(alias, store.getCertificate(alias));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(trusted);
    SSLContext client = SSLContext.getInstance("TLSv1.3");
    client.init(null, trust.getTrustManagers(), null);

    InetAddress here = InetAddress.getLoopbackAddress();
    try (SSLServerSocket listening =
        (SSLServerSocket) server.getServerSocketFactory().createServerSocket(0, 1, here)) {
      Thread answering = new Thread(() -> answer(listening));
      answering.setDaemon(true);
      answering.start();
      try (SSLSocket socket =
          (SSLSocket) client.getSocketFactory().createSocket(here, listening.getLocalPort())) {
        demand(Arrays.equals(socket.getInputStream().readAllBytes(), MESSAGE), "another answer");
      }
    }
  }

  private static void answer(SSLServerSocket listening) {
    try (SSLSocket socket = (SSLSocket) listening.accept()) {
      socket.getOutputStream().write(MESSAGE);
    } catch (Exception failure) {
      failure.printStackTrace();
    }
  }

  public static void main(String[] args) throws Exception {
    token = Security.getProvider("SunPKCS11").configure(args[0]);
    char[] pin = args[1].toCharArray();
    open(pin);

    KeyPair rsa = generate("RSA", new RSAKeyGenParameterSpec(2048, BigInteger.valueOf(65537)));
    KeyPair ec = generate("EC", new ECGenParameterSpec("secp256r1"));
    KeyPair ec384 = generate("EC", new ECGenParameterSpec("secp384r1"));
    check("hidden keys", () -> hiddenKeys(rsa));
    check("SHA256withRSA", () -> sign("SHA256withRSA", rsa, "SunRsaSign", null));
    check("SHA512withRSA", () -> sign("SHA512withRSA", rsa, "SunRsaSign", null));
    check("RSASSA-PSS", () -> sign("RSASSA-PSS", rsa, "SunRsaSign", PSS));
    check("SHA256withECDSA", () -> sign("SHA256withECDSA", ec, "SunEC", null));
    check("SHA384withECDSA", () -> sign("SHA384withECDSA", ec384, "SunEC", null));
    check("AES-GCM", () -> encrypt("AES/GCM/NoPadding", gcm(), 1000));
    check("forged AES-GCM", () -> forgedGcm());
    check("AES-CBC", () -> encrypt("AES/CBC/NoPadding", iv(), 1024));
    check("AES-CBC, padded", () -> encrypt("AES/CBC/PKCS5Padding", iv(), 1001));
    check("AES-CTR", () -> encrypt("AES/CTR/NoPadding", iv(), 1001));
    check("AES-ECB", () -> encrypt("AES/ECB/NoPadding", new AlgorithmParameterSpec[2], 1024));
    check("HmacSHA1", () -> mac("HmacSHA1"));
    check("HmacSHA256", () -> mac("HmacSHA256"));
    check("HmacSHA512", () -> mac("HmacSHA512"));
    check("ECDH", () -> agreement(ec));
    check("SHA-256", () -> digest("SHA-256"));
    check("SHA3-512", () -> digest("SHA3-512"));
    check("RSA encryption", () -> rsaEncryption(rsa));
    check("RSA wrapping", () -> wrapping(rsa));
    check("key store", () -> keyStore(pin, args[2]));
    check("TLS", () -> tls(pin));
  }
}
