package dev.comfygateway.simulator;

import java.util.List;

/**
 * Received request.
 *
 * @param method the method
 * @param target the request target, including the query string
 * @param headerLines the received header lines, in order
 * @param bodyLength length of the body in bytes
 */
public record Received(String method, String target, List<String> headerLines, long bodyLength) {

	/** Values of a header, in order; empty if the header is absent. */
	public List<String> header(String name) {
		return headerLines.stream()
			.filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
			.map(line -> line.substring(name.length() + 1).strip())
			.toList();
	}
}
