package dev.comfygateway.server;

import java.nio.ByteBuffer;

/** Heap cost of a head of which only a part has arrived. */
final class IncompleteHead {

	/** Bytes of heap for a byte of text: the byte itself, and a buffer twice as long. */
	static final int BUFFERED_BYTE = 3;

	/**
	 * Bytes of heap for a byte of an encrypted head, in the worst case of lines of four
	 * bytes.
	 */
	private static final int ENCRYPTED_BYTE = HeadSize.FIELD / 4 + BUFFERED_BYTE;

	/**
	 * Limit of the cost. Jetty limits heads to 8 KiB. Bytes of a body cost as much as
	 * those of a head, although they are discarded: such a connection is closed before
	 * others.
	 */
	static final int MAX = 8 * 1024 * ENCRYPTED_BYTE;

	private final boolean encrypted;

	private int cost;

	/** Last two bytes that were read. */
	private int tail;

	/**
	 * Creates the cost of a connection's heads.
	 * @param encrypted whether the bytes are encrypted, so that the end of a head cannot
	 * be detected
	 */
	IncompleteHead(boolean encrypted) {
		this.encrypted = encrypted;
	}

	/** Returns the bytes of heap. */
	int cost() {
		return cost;
	}

	void set(int bytes) {
		cost = Math.min(bytes, MAX);
	}

	/** Adds the bytes of a buffer from this index. */
	void add(ByteBuffer buffer, int from) {
		set(encrypted ? cost + (buffer.limit() - from) * ENCRYPTED_BYTE : plainCost(buffer, from));
	}

	/** Returns whether the cost with these bytes would be above the limit. */
	boolean wouldExceed(int limit, ByteBuffer buffer, int from) {
		int sum = cost + (buffer.limit() - from) * (encrypted ? ENCRYPTED_BYTE : BUFFERED_BYTE);
		for (int i = from; i < buffer.limit() && sum <= limit; i++) {
			if (buffer.get(i) == '\n') {
				sum += HeadSize.FIELD;
			}
		}
		return sum > limit;
	}

	/**
	 * Returns the cost with the bytes from this index. Searches backwards for the last
	 * blank line, which ends a head.
	 */
	private int plainCost(ByteBuffer buffer, int from) {
		int last = buffer.limit() - 1;
		int lines = 0;
		int i = last;
		while (i >= from && !endsBlankLine(buffer, from, i)) {
			if (buffer.get(i) == '\n') {
				lines++;
			}
			i--;
		}
		int added = lines * HeadSize.FIELD + (last - i) * BUFFERED_BYTE;
		tail = byteAt(buffer, from, last - 1) << Byte.SIZE | byteAt(buffer, from, last);
		return i >= from ? added : cost + added;
	}

	private boolean endsBlankLine(ByteBuffer buffer, int from, int i) {
		if (buffer.get(i) != '\n') {
			return false;
		}
		int previous = byteAt(buffer, from, i - 1);
		return previous == '\n' || previous == '\r' && byteAt(buffer, from, i - 2) == '\n';
	}

	private int byteAt(ByteBuffer buffer, int from, int i) {
		return i >= from ? buffer.get(i) & 0xFF : tail >> (from - 1 - i) * Byte.SIZE & 0xFF;
	}

}
