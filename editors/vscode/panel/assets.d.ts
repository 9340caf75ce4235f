// What the build makes of files that are no code.

declare module 'codicons' {
  const drawings: Record<string, string>;
  export default drawings;
}
declare module '*.css';
