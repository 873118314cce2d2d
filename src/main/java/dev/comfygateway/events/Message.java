package dev.comfygateway.events;

/**
 * Bytes of one write to a listener.
 *
 * @param identity identity of the listener's last event after this write
 */
record Message(byte[] bytes, String identity, boolean isEvent, boolean isLast) {

	private static final byte[] BLANK_LINE = { '\n' };

	/**
	 * Blank line after an event. Jetty sends the end of a chunk with the next one, and
	 * some clients pass on nothing of a chunk before its end.
	 */
	static Message endOfChunk(String identity) {
		return new Message(BLANK_LINE, identity, false, false);
	}

}
