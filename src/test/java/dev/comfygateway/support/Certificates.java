package dev.comfygateway.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocketFactory;

import static org.assertj.core.api.Assertions.assertThat;

/** Self-signed certificates with their keys, made by {@code keytool}. */
public final class Certificates {

	/** Password of every key. */
	public static final String PASSWORD = "changeit";

	private Certificates() {
	}

	/**
	 * Creates a key store with a key, and with its certificate as a trusted one.
	 * @param directory directory for the file of {@code keytool}
	 * @param subject such as {@code ip:127.0.0.1}
	 */
	public static KeyStore make(Path directory, String name, String subject)
			throws IOException, InterruptedException, GeneralSecurityException {
		return make(directory, name, subject, "-validity", "90");
	}

	/**
	 * Creates a key store whose certificate has a given validity.
	 * @param validity options of {@code keytool}
	 */
	public static KeyStore make(Path directory, String name, String subject, String... validity)
			throws IOException, InterruptedException, GeneralSecurityException {
		Path file = directory.resolve(name + ".p12");
		List<String> command = new ArrayList<>(List.of(
				Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-J-XX:TieredStopAtLevel=1",
				"-J-XX:+UseSerialGC", "-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name, "-ext",
				"san=" + subject, "-storetype", "PKCS12", "-storepass", PASSWORD, "-keystore", file.toString()));
		command.addAll(List.of(validity));
		Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
		String output = new String(keytool.getInputStream().readAllBytes());
		assertThat(keytool.waitFor(1, TimeUnit.MINUTES)).isTrue();
		assertThat(keytool.exitValue()).as(output).isZero();
		KeyStore store = KeyStore.getInstance("PKCS12");
		try (InputStream in = Files.newInputStream(file)) {
			store.load(in, PASSWORD.toCharArray());
		}
		KeyStore both = KeyStore.getInstance("PKCS12");
		both.load(null, null);
		both.setKeyEntry(name, store.getKey(name, PASSWORD.toCharArray()), PASSWORD.toCharArray(),
				store.getCertificateChain(name));
		both.setCertificateEntry(name + "-trusted", store.getCertificate(name));
		return both;
	}

	/** Returns a factory of server sockets with the key and certificate of a store. */
	public static SSLServerSocketFactory serverSockets(KeyStore certificate) {
		try {
			KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
			keys.init(certificate, PASSWORD.toCharArray());
			SSLContext context = SSLContext.getInstance("TLS");
			context.init(keys.getKeyManagers(), null, null);
			return context.getServerSocketFactory();
		}
		catch (GeneralSecurityException e) {
			throw new AssertionError(e);
		}
	}

}
