package dev.comfygateway.events;

/**
 * Bytes of one write to a listener.
 *
 * @param identity identity of the listener's last event after this write
 */
record Message(byte[] bytes, String identity, boolean isEvent, boolean isLast) {

	private static final byte[] BLANK_LINE = { '\n' };

	/**
	 * Returns the blank line to send after an event. Jetty sends the end of a chunk
	 * together with the next chunk, and some clients do not deliver a chunk before its
	 * end.
	 */
	static Message endOfChunk(String identity) {
		return new Message(BLANK_LINE, identity, false, false);
	}

}
