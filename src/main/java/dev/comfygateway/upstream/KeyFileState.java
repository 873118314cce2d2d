package dev.comfygateway.upstream;

/** State of the file that the key comes from. */
public enum KeyFileState {

	/** Its content is the key in use. */
	OK,
	/** Its content cannot be used, so that an older key is still in use. */
	UNREADABLE

}
