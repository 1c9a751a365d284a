"""An emulated `org.bluez` on a private D-Bus: unmodified programs that use BlueZ meet the home's accessories. Linux.

What is there of each interface, and what BlueZ has beyond it, is in `specs/protocols/ble-bluez.md`. Nobody imports this
package before a home opens the door, since it needs dbus-fast and Bumble.
"""
