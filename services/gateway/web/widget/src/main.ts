// The widget's script.
export {};
