package dev.comfygateway.upstream;

import java.net.IDN;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parsed base URL of the upstream. {@link URI#getHost()} is null for a host name that RFC
 * 2396 does not allow, such as {@code comfy_ui}. Such names exist in DNS and Docker, so
 * the host is read from the authority.
 *
 * @param uri the URL in ASCII
 * @param host host name or address in lower case; an IPv6 address is in brackets
 */
record BaseUrl(URI uri, String host) {

	private static final int MAX_PORT = 65_535;

	private static final Pattern AUTHORITY = Pattern
		.compile("(?<host>[\\p{L}\\p{M}\\p{N}._-]+|\\[.+])(:(?<port>\\d{0,5}))?");

	private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[(::1|0:0:0:0:0:0:0:1)]");

	/** Parses an http or https URL of a host; empty for any other text. */
	static Optional<BaseUrl> parse(String text) {
		try {
			URI given = new URI(text);
			String authority = given.getRawAuthority();
			Matcher matcher = AUTHORITY.matcher(authority == null ? "" : authority);
			if (!isHttp(given) || !matcher.matches() || given.getRawQuery() != null || given.getRawFragment() != null) {
				return Optional.empty();
			}
			String host = IDN.toASCII(matcher.group("host")).toLowerCase(Locale.ROOT);
			String port = matcher.group("port");
			if (port != null && !port.isEmpty() && Integer.parseInt(port) > MAX_PORT) {
				return Optional.empty();
			}
			URI uri = new URI("%s://%s%s%s".formatted(given.getScheme(), host,
					port == null || port.isEmpty() ? "" : ":" + port, given.getRawPath()));
			return Optional.of(new BaseUrl(URI.create(uri.toASCIIString()), host));
		}
		catch (URISyntaxException | IllegalArgumentException ignored) {
			return Optional.empty();
		}
	}

	private static boolean isHttp(URI uri) {
		return "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
	}

	/** Returns whether a request is encrypted or stays on this host. */
	boolean isConfidential() {
		return "https".equalsIgnoreCase(uri.getScheme()) || LOOPBACK.matcher(host).matches();
	}

}
