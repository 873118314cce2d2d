package dev.comfygateway.upstream;

/** State of the file that contains the key. */
public enum KeyFileState {

	/** Its content is the key in use. */
	OK,
	/** Its content cannot be used; an older key is still in use. */
	UNREADABLE

}
