package dev.comfygateway.simulator;

import java.util.List;

/**
 * Request as it arrived.
 *
 * @param method the method
 * @param target the request target, query string included
 * @param headerLines the header lines as they came, in order
 * @param bodyLength bytes of body
 */
public record Received(String method, String target, List<String> headerLines, long bodyLength) {

	/** Values of a header, in order; none where it is absent. */
	public List<String> header(String name) {
		return headerLines.stream()
			.filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
			.map(line -> line.substring(name.length() + 1).strip())
			.toList();
	}
}
